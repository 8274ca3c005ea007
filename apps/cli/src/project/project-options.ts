import { options } from '@pando/config/options'
import type { Values } from '@pando/config/options'

/** The keys of `config.toml` that concern the project folder and its embedded PostgreSQL; services declare theirs. */
export const projectOptions = options({
  prefix: 'project',
  text: 'The project folder and its embedded PostgreSQL.',
  options: {
    apiPort: {
      type: 'integer',
      default: 54_321,
      min: 0,
      max: 65_535,
      toml: 'api.port',
      text: 'Port of the API in `pando dev`, on 127.0.0.1; 0 takes a free one.',
    },
    apiSchemas: {
      type: 'list',
      default: ['public'],
      toml: 'api.schemas',
      text: 'Schemas that `pando types` describes.',
    },
    apiSearchPath: {
      type: 'list',
      default: ['public', 'extensions'],
      toml: 'api.extra_search_path',
      text: 'Further schemas whose views `pando types` looks through.',
    },
    autoExposeNewTables: {
      type: 'boolean',
      default: false,
      toml: 'api.auto_expose_new_tables',
      text: 'Grant what migrations create in `public` to the API roles; a `supabase/` project has it on unless it says otherwise.',
    },
    databasePort: {
      type: 'integer',
      default: 54_322,
      min: 0,
      max: 65_535,
      toml: 'db.port',
      text: 'Port of the embedded PostgreSQL, on 127.0.0.1; 0 takes a free one.',
    },
    migrationsEnabled: {
      type: 'boolean',
      default: true,
      toml: 'db.migrations.enabled',
      text: 'Apply the files of `migrations/`.',
    },
    seedEnabled: {
      type: 'boolean',
      default: true,
      toml: 'db.seed.enabled',
      text: 'Load the seed files into a new database.',
    },
    seedPaths: {
      type: 'list',
      default: ['./seed.sql'],
      toml: 'db.seed.sql_paths',
      text: 'Seed files in order, beside `config.toml`; globs are allowed.',
    },
    seedScripts: {
      type: 'list',
      default: [],
      toml: 'db.seed.script_paths',
      text: 'JavaScript or TypeScript files that `pando dev` runs after the seed of a new database, when the API answers; they find `API_URL`, `SERVICE_ROLE_KEY` and the other keys in the environment.',
    },
    typesOutput: {
      type: 'string',
      default: null,
      toml: 'types.output',
      text: 'File for the `Database` type, beside `config.toml`; `pando dev` rewrites it when the schema changes.',
    },
    shardKey: {
      type: 'string',
      default: null,
      toml: 'shard.key',
      text: 'The column by which `pando shard` spreads the tables that have it over the servers of a Citus cluster.',
    },
    shardKeys: {
      type: 'list',
      pairs: true,
      default: [],
      toml: 'shard.keys',
      text: 'Tables that are spread by another column (`tenants = "id"`). Names are those of `public`, or `schema.table`.',
    },
    shardReference: {
      type: 'list',
      default: [],
      toml: 'shard.reference',
      text: 'Tables that are copied to every server; besides those without a key that a spread table points at.',
    },
    shardLocal: {
      type: 'list',
      default: [],
      toml: 'shard.local',
      text: 'Tables that stay on the coordinator alone, whatever columns they have.',
    },
  },
})

export type ProjectValues = Values<typeof projectOptions>

/** Paths of `config.toml` that the server's packages read; `parseProjectFile` tells strangers from these. */
const servicePaths = [
  'admission.rules',
  'api.enabled',
  'api.external_url',
  'api.max_rows',
  'rate_limits.policies',
  'shard.claim',
]

/** Every path of `config.toml` that somebody reads. */
export const knownPaths: readonly string[] = [
  ...Object.values(projectOptions.options).map(({ toml }) => toml),
  ...servicePaths,
]
