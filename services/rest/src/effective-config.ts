import type { Catalogue, QualifiedName } from '@pando/catalogue/catalogue'
import type { RestOptions } from './config.ts'
import type { RestConfig } from './rest-config.ts'
import { parseCount, parseFlag, parseList, parseOneOf, parseText } from './parse-setting.ts'
import { tokenRulesOf, tokenSettings } from './token-rules.ts'

/** What the database may declare, beside `app_settings_…`: the names of PostgREST's options without their `pgrst.`. */
export const settingNames = [
  'db_aggregates_enabled',
  'db_extra_search_path',
  'db_hoisted_tx_settings',
  'db_max_rows',
  'db_plan_enabled',
  'db_pre_config',
  'db_pre_request',
  'db_prepared_statements',
  'db_root_spec',
  'db_schemas',
  'db_tx_end',
  'openapi_mode',
  'openapi_security_active',
  'openapi_server_proxy_uri',
  'server_cors_allowed_origins',
  'server_timing_enabled',
  'server_trace_header',
  ...tokenSettings,
] as const
type SettingName = (typeof settingNames)[number]

type InDatabase = Catalogue['inDatabaseConfig']

/** What holds where the database declares this; where there is no catalogue yet, the options alone. */
export type EffectiveConfigs = (inDatabase: InDatabase | undefined) => EffectiveConfig

export type EffectiveConfig = {
  readonly config: RestConfig
  /** Settings of the database that have no effect: not understood, or of no option here. */
  readonly ignored: readonly string[]
}

/** For all who ask of a catalogue, each new connection among them, it is worked out once. */
export function createEffectiveConfigs(options: RestOptions): EffectiveConfigs {
  const known = new WeakMap<InDatabase, EffectiveConfig>()
  return (inDatabase = nothing) => {
    const found = known.get(inDatabase) ?? toEffectiveConfig(options, inDatabase)
    known.set(inDatabase, found)
    return found
  }
}

const nothing: InDatabase = new Map()

/**
 * The settings in force: the service's options, with those that the database declares for the authenticator laid over
 * them (PostgREST v14, "In-Database Configuration"). A setting of the database that cannot be understood is left out,
 * as it must not stop the API.
 */
export function toEffectiveConfig(options: RestOptions, inDatabase: InDatabase): EffectiveConfig {
  // It has had its say when this is read.
  const understood = new Set<string>(['db_pre_config'])
  const read = <T>(name: SettingName, parse: (text: string) => T | undefined, otherwise: T): T => {
    const text = inDatabase.get(name)
    const value = text === undefined ? undefined : parse(text)
    if (value === undefined) return otherwise
    understood.add(name)
    return value
  }
  const schemas = read('db_schemas', parseList, options.schemas)
  const parseName = nameParser(schemas[0] ?? 'public')
  const config: RestConfig = {
    schemas,
    extraSearchPath: read('db_extra_search_path', parseList, options.extraSearchPath),
    maxRows: read('db_max_rows', parseCount, options.maxRows),
    aggregatesEnabled: read('db_aggregates_enabled', parseFlag, options.aggregatesEnabled),
    planEnabled: read('db_plan_enabled', parseFlag, options.planEnabled),
    preRequest: read('db_pre_request', parseName, parseName(options.preRequest ?? '')),
    rootSpec: read('db_root_spec', parseName, parseName(options.rootSpec ?? '')),
    txEnd: read('db_tx_end', parseOneOf(txEnds), options.txEnd),
    openapiMode: read('openapi_mode', parseOneOf(openapiModes), options.openapiMode),
    openapiSecurityActive: read('openapi_security_active', parseFlag, options.openapiSecurityActive),
    openapiServerProxyUri: read('openapi_server_proxy_uri', parseText, options.openapiServerProxyUri ?? undefined),
    hoistedTxSettings: read('db_hoisted_tx_settings', parseList, options.hoistedTxSettings),
    appSettings: [...options.appSettings.map(splitSetting), ...appSettingsOf(inDatabase)],
    preparedStatements: read('db_prepared_statements', parseFlag, options.preparedStatements),
    tokenRules: tokenRulesOf(inDatabase, read),
    serverCorsAllowedOrigins: read('server_cors_allowed_origins', parseList, options.serverCorsAllowedOrigins),
    serverTraceHeader: read('server_trace_header', parseText, options.serverTraceHeader ?? undefined)?.toLowerCase(),
    serverTimingEnabled: read('server_timing_enabled', parseFlag, undefined),
  }
  const isIgnored = (name: string): boolean => !understood.has(name) && !name.startsWith(appPrefix)
  return { config, ignored: [...inDatabase.keys()].filter(isIgnored).map((name) => `pgrst.${name}`) }
}

const appPrefix = 'app_settings_'

const txEnds = ['commit', 'commit-allow-override', 'rollback', 'rollback-allow-override'] as const
const openapiModes = ['follow-privileges', 'ignore-privileges', 'disabled'] as const

/** Reads `schema.name`; a bare name is in the default schema. */
function nameParser(defaultSchema: string): (text: string) => QualifiedName | undefined {
  return (text) => {
    const [first, second, ...more] = text.split('.')
    if (first === undefined || first === '' || more.length > 0) return undefined
    return second === undefined ? { schema: defaultSchema, name: first } : { schema: first, name: second }
  }
}

function splitSetting(text: string): readonly [string, string] {
  const at = text.indexOf('=')
  return at === -1 ? [`app.settings.${text}`, ''] : [`app.settings.${text.slice(0, at)}`, text.slice(at + 1)]
}

function appSettingsOf(inDatabase: InDatabase): (readonly [string, string])[] {
  return [...inDatabase]
    .filter(([name]) => name.startsWith(appPrefix))
    .map(([name, value]) => [`app.settings.${name.slice(appPrefix.length)}`, value])
}
