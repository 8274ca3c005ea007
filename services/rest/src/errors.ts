import { Refusal } from '@pando/core/refusal'

/** The four members of every error of this wire; `details` and `hint` may be null. */
type Facts = { details?: unknown; hint?: string | null; headers?: Record<string, string> }

function refusal(code: string, status: number, message: string, facts: Facts = {}): Refusal {
  return new Refusal(code, status, message, {
    facts: { details: facts.details ?? null, hint: facts.hint ?? null },
    ...(facts.headers === undefined ? {} : { headers: facts.headers }),
  })
}

/** What failed by no fault of the caller's may work a moment later. */
const comeBack = { 'Retry-After': '1' }

/**
 * Every refusal of the data API, with the codes, statuses and texts of PostgREST v14 ("Errors from PostgREST"), because
 * the SDKs and people's error handling decode them.
 */
export const errors = {
  connectionFailed: (details: string) =>
    refusal('PGRST000', 503, 'Database connection error. Retrying the connection.', { details, headers: comeBack }),
  connectionLost: (details: string) =>
    refusal('PGRST001', 503, 'Database client error. Retrying the connection.', { details, headers: comeBack }),
  catalogueMissing: () =>
    refusal('PGRST002', 503, 'Could not query the database for the schema cache. Retrying.', { headers: comeBack }),
  statementTimeout: () => refusal('57014', 503, 'canceling statement due to statement timeout', { headers: comeBack }),
  poolTimeout: () =>
    refusal('PGRST003', 504, 'Timed out acquiring connection from connection pool.', { headers: comeBack }),

  query: (message: string, details: string | null) => refusal('PGRST100', 400, message, { details }),
  rpcMethod: (method: string) => refusal('PGRST101', 405, `Cannot use the ${method} method on RPC`),
  body: (message: string) => refusal('PGRST102', 400, message),
  range: (details: string) => refusal('PGRST103', 416, 'Requested range not satisfiable', { details }),
  outOfRange: (offset: number, total: number) =>
    refusal('PGRST103', 416, 'Requested range not satisfiable', {
      details: `An offset of ${offset} was requested, but there are only ${total} rows.`,
      headers: { 'Content-Range': `*/${total}` },
    }),
  putFilters: () =>
    refusal('PGRST105', 405, "Filters must include all and only primary key columns with 'eq' operators"),
  schemaNotExposed: (schema: string, exposed: readonly string[]) =>
    refusal('PGRST106', 406, `Invalid schema: ${schema}`, {
      hint: `Only the following schemas are exposed: ${exposed.join(', ')}`,
    }),
  mediaType: (available: readonly string[]) =>
    refusal('PGRST107', 406, `None of these media types are available: ${available.join(', ')}`),
  notEmbedded: (name: string) =>
    refusal('PGRST108', 400, `'${name}' is not an embedded resource in this request`, {
      hint: `Verify that '${name}' is included in the 'select' query parameter.`,
    }),
  responseHeaders: () =>
    refusal(
      'PGRST111',
      500,
      'response.headers guc must be a JSON array composed of objects with a single key and a string value',
    ),
  responseStatus: () => refusal('PGRST112', 500, 'response.status guc must be a valid status code'),
  putLimit: () => refusal('PGRST114', 400, 'limit/offset querystring parameters are not allowed for PUT'),
  putKeyMismatch: () => refusal('PGRST115', 400, 'Payload values do not match URL in primary key column(s)'),
  notSingular: (rows: number) =>
    refusal('PGRST116', 406, 'Cannot coerce the result to a single JSON object', {
      details: `The result contains ${rows} rows`,
    }),
  method: (method: string) => refusal('PGRST117', 405, `Unsupported HTTP method: ${method}`),
  relatedOrder: (from: string, to: string) =>
    refusal('PGRST118', 400, `A related order on '${to}' is not possible`, {
      details: `'${from}' and '${to}' do not form a many-to-one or one-to-one relationship`,
    }),
  embedFilter: (name: string) =>
    refusal('PGRST120', 400, `Bad operator on the '${name}' embedded resource`, {
      details: 'Only is null or not is null filters are allowed on embedded resources',
    }),
  raiseFormat: (details: string, hint: string) =>
    refusal('PGRST121', 500, 'Could not parse JSON in the "RAISE SQLSTATE \'PGRST\'" error', { details, hint }),
  preferences: (invalid: readonly string[]) =>
    refusal('PGRST122', 400, 'Invalid preferences given with handling=strict', {
      details: `Invalid preferences: ${invalid.join(', ')}`,
    }),
  aggregates: () => refusal('PGRST123', 400, 'Use of aggregate functions is not allowed'),
  maxAffected: (rows: number) =>
    refusal('PGRST124', 400, 'Query result exceeds max-affected preference constraint', {
      details: `The query affects ${rows} rows`,
    }),
  path: () => refusal('PGRST125', 404, 'Invalid path specified in request URL'),
  openapiDisabled: () => refusal('PGRST126', 404, 'Root endpoint metadata is disabled'),
  notImplemented: (details: string) => refusal('PGRST127', 400, 'Feature not implemented', { details }),
  keyKept: (column: string, key: string) =>
    refusal('PGRST127', 400, 'Feature not implemented', {
      details: `The rows are on the server of ${column} = ${key}, and cannot go to another.`,
      hint: `Leave ${column} out of the update, or delete the rows and insert them anew.`,
    }),
  maxAffectedRpc: () =>
    refusal(
      'PGRST128',
      400,
      'Function must return SETOF or TABLE when max-affected preference is used with handling=strict',
    ),

  noRelationship: (facts: { from: string; to: string; usedHint?: string; schema: string; suggestion: string | null }) =>
    refusal(
      'PGRST200',
      400,
      `Could not find a relationship between '${facts.from}' and '${facts.to}' in the schema cache`,
      {
        details: `Searched for a foreign key relationship between '${facts.from}' and '${facts.to}'${
          facts.usedHint === undefined ? '' : ` using the hint '${facts.usedHint}'`
        } in the schema '${facts.schema}', but no matches were found.`,
        hint: facts.suggestion,
      },
    ),
  /** By the code and text that PostgREST leaves to Postgres, which sees one alias used twice. */
  embeddedTwice: (alias: string) => refusal('42712', 400, `table name "${alias}" specified more than once`),
  ambiguousRelationship: (from: string, to: string, facts: { details: unknown; choices: string }) =>
    refusal('PGRST201', 300, `Could not embed because more than one relationship was found for '${from}' and '${to}'`, {
      details: facts.details,
      hint: `Try changing '${to}' to one of the following: ${facts.choices}. Find the desired relationship in the 'details' key.`,
    }),
  noRoutine: (message: string, details: string, hint: string | null) =>
    refusal('PGRST202', 404, message, { details, hint }),
  ambiguousRoutine: (candidates: readonly string[]) =>
    refusal('PGRST203', 300, `Could not choose the best candidate function between: ${candidates.join(', ')}`, {
      hint: 'Try renaming the parameters or the function itself in the database so function overloading can be resolved',
    }),
  noColumn: (relation: string, column: string) =>
    refusal('PGRST204', 400, `Could not find the '${column}' column of '${relation}' in the schema cache`),
  noRelation: (schema: string, name: string, suggestion: string | undefined) =>
    refusal('PGRST205', 404, `Could not find the table '${schema}.${name}' in the schema cache`, {
      hint: suggestion === undefined ? null : `Perhaps you meant the table '${schema}.${suggestion}'`,
    }),

  jwtKeysUnavailable: (message: string) => refusal('PGRST001', 503, message, { headers: comeBack }),
  jwtSecretMissing: () => refusal('PGRST300', 500, 'Server lacks JWT secret'),
  jwtInvalid: (message: string) =>
    refusal('PGRST301', 401, message, {
      headers: { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` },
    }),
  anonymousDisabled: () =>
    refusal('PGRST302', 401, 'Anonymous access is disabled', { headers: { 'WWW-Authenticate': 'Bearer' } }),
  jwtClaims: (message: string) =>
    refusal('PGRST303', 401, message, {
      headers: { 'WWW-Authenticate': `Bearer error="invalid_token", error_description="${message}"` },
    }),

  internal: (details: string) => refusal('PGRSTX00', 500, 'Internal error', { details }),
} as const
