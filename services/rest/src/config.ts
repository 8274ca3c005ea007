import { options } from '@pando/config/options'
import type { Values } from '@pando/config/options'

/**
 * The data API's options. Where PostgREST v14 has the option, name and meaning are its own; those can also be set in
 * the database by `alter role authenticator set pgrst.<name> = …`, which wins.
 */
export const restOptions = options({
  prefix: 'rest',
  text: 'The data API (`/rest/v1`).',
  options: {
    schemas: {
      type: 'list',
      default: ['public'],
      toml: 'api.schemas',
      text: 'Schemas whose tables, views and functions are served; the first is the default. In the database: `pgrst.db_schemas`.',
    },
    extraSearchPath: {
      type: 'list',
      default: ['public', 'extensions'],
      toml: 'api.extra_search_path',
      text: 'Schemas added to the search path of every request. In the database: `pgrst.db_extra_search_path`.',
    },
    maxRows: {
      type: 'integer',
      default: 1000,
      min: 1,
      toml: 'api.max_rows',
      text: 'Most rows that one answer holds, at the root and in every embed. In the database: `pgrst.db_max_rows`.',
    },
    aggregatesEnabled: {
      type: 'boolean',
      default: false,
      text: 'Allows `avg`, `count`, `max`, `min` and `sum` in `select`. In the database: `pgrst.db_aggregates_enabled`.',
    },
    planEnabled: {
      type: 'boolean',
      default: false,
      text: 'Allows `Accept: application/vnd.pgrst.plan`, which answers with the plan of the query. In the database: `pgrst.db_plan_enabled`.',
    },
    preRequest: {
      type: 'string',
      default: null,
      text: 'A function `schema.name` that runs before every request, as its caller. In the database: `pgrst.db_pre_request`.',
    },
    rootSpec: {
      type: 'string',
      default: null,
      text: 'A function `schema.name` that answers the root instead of the OpenAPI description. In the database: `pgrst.db_root_spec`.',
    },
    txEnd: {
      type: 'enum',
      values: ['commit', 'commit-allow-override', 'rollback', 'rollback-allow-override'],
      default: 'commit',
      text: 'How transactions end, and whether `Prefer: tx=` may say otherwise. In the database: `pgrst.db_tx_end`.',
    },
    openapiMode: {
      type: 'enum',
      values: ['follow-privileges', 'ignore-privileges', 'disabled'],
      default: 'follow-privileges',
      text: 'What the OpenAPI description at the root shows. In the database: `pgrst.openapi_mode`.',
    },
    openapiSecurityActive: {
      type: 'boolean',
      default: false,
      text: 'Whether the OpenAPI description names the JWT. In the database: `pgrst.openapi_security_active`.',
    },
    openapiServerProxyUri: {
      type: 'url',
      default: null,
      text: 'Address that the OpenAPI description gives for the API. In the database: `pgrst.openapi_server_proxy_uri`.',
    },
    hoistedTxSettings: {
      type: 'list',
      default: ['statement_timeout', 'plan_filter.statement_cost_limit', 'default_transaction_isolation'],
      text: "A function's own settings of these names hold for the whole transaction of a call. In the database: `pgrst.db_hoisted_tx_settings`.",
    },
    appSettings: {
      type: 'list',
      default: [],
      text: 'Settings `name=value` that every request can read as `app.settings.<name>`. In the database: `pgrst.app_settings_<name>`.',
    },
    preConfig: {
      type: 'string',
      default: null,
      text: 'A function `schema.name` that declares settings `pgrst.…` by `set_config(…, true)`; those of the role win. In the database: `pgrst.db_pre_config`.',
    },
    preparedStatements: {
      type: 'boolean',
      default: true,
      text: 'Whether statements are prepared once a connection. In the database: `pgrst.db_prepared_statements`.',
    },
    serverCorsAllowedOrigins: {
      type: 'list',
      default: [],
      text: 'Origins such as `https://app.example.com` whose pages may read answers; any when there is none. In the database: `pgrst.server_cors_allowed_origins`.',
    },
    serverTraceHeader: {
      type: 'string',
      default: null,
      text: 'A request header that the answer repeats, for example `X-Trace`, beside `X-Request-Id`. In the database: `pgrst.server_trace_header`.',
    },
    channel: {
      type: 'string',
      default: 'pgrst',
      text: 'Channel on which `notify` asks for a fresh picture of the schema.',
    },
    bodyBytesMax: {
      type: 'bytes',
      default: 64 * 1024 * 1024,
      min: 1024,
      text: 'Largest request body.',
    },
    shardClaim: {
      type: 'string',
      default: null,
      toml: 'shard.claim',
      text: 'Where tables are spread by a key (Citus): the claim with the key of the caller, as a path (`app_metadata.tenant_id`). Requests of who has it are about the rows of that key, on one shard, unless they ask for another one (`tenant_id=eq.…`).',
    },
    compiledMax: {
      type: 'integer',
      default: 2000,
      min: 1,
      text: 'Request shapes whose SQL is kept.',
    },
  },
})

export type RestOptions = Values<typeof restOptions>
