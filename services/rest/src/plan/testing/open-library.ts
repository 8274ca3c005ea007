import type { Catalogue } from '@pando/catalogue/catalogue'
import { loadCatalogue } from '@pando/catalogue/load-catalogue'
import { createTestDatabase } from '@pando/postgres/testing/database'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import type { CompiledStatement } from '../../compiled.ts'
import { resultColumns } from '../../compiled.ts'
import { toPageRange } from '../../page-range.ts'
import type { ApiRequest, BodyShape } from '../../request/api-request.ts'
import { parseRequest } from '../../request/parse-request.ts'
import { readBody } from '../../request/read-body.ts'
import type { RestConfig } from '../../rest-config.ts'
import { compile } from '../compile.ts'
import type { CompiledRequest } from '../compiled-request.ts'
import { libraryConfig } from './library-config.ts'

/** A request as a caller writes it; a body is sent as JSON unless a header says otherwise. */
export type Asked = {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly config?: Partial<RestConfig>
}

/** The cells of a statement's one row, the body parsed when it is JSON. */
export type Found = {
  readonly compiled: CompiledRequest
  readonly cells: readonly (string | null)[]
  readonly body: unknown
}

/** A database of its own with what `library.sql` describes; requests run as `reader` and are rolled back. */
export type Library = {
  readonly catalogue: Catalogue
  compile(url: string, asked?: Asked): Promise<CompiledRequest>
  ask(url: string, asked?: Asked): Promise<Found>
  /** Has Postgres parse and plan a statement. */
  prepare(statement: CompiledStatement): Promise<void>
  /** Rows of a query by the owner, inside the transaction of the request before it. */
  after(url: string, asked: Asked, query: string): Promise<unknown[]>
  close(): Promise<void>
}

/** With `shardKeys` requests are planned as on Citus. */
export async function openLibrary(onCitus: Pick<Catalogue, 'shardKeys'> = {}): Promise<Library> {
  const sql = readFileSync(new URL('library.sql', import.meta.url), 'utf8')
  const database = await createTestDatabase({ conventions: false, sql })
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  const catalogue = { ...(await loadLibrary(client)), ...onCitus }
  const compileAsked = async (url: string, asked: Asked = {}): Promise<Prepared> =>
    prepareRequest(catalogue, url, asked)
  const asReader = async <T>(work: () => Promise<T>): Promise<T> => {
    await client.query('begin; set local search_path to api; set local role reader')
    try {
      return await work()
    } finally {
      await client.query('rollback')
    }
  }
  return {
    catalogue,
    compile: async (url, asked) => (await compileAsked(url, asked)).compiled,
    ask: async (url, asked) => {
      const prepared = await compileAsked(url, asked)
      return asReader(() => run(client, prepared))
    },
    prepare: ({ text }) =>
      asReader(async () => {
        await client.query(`prepare checked as ${text}; deallocate checked`)
      }),
    after: async (url, asked, query) => {
      const prepared = await compileAsked(url, asked)
      return asReader(async () => {
        await run(client, prepared)
        await client.query('reset role')
        return (await client.query(query)).rows as unknown[]
      })
    },
    async close() {
      await client.end()
      await database.close()
    },
  }
}

async function loadLibrary(client: pg.Client): Promise<Catalogue> {
  await client.query('begin')
  const query = async (text: string, params: readonly string[]) => (await client.query(text, [...params])).rows
  const catalogue = await loadCatalogue(query, { schemas: ['api'], extraSearchPath: [], generation: 1 })
  await client.query('commit')
  return catalogue
}

type Prepared = {
  readonly request: ApiRequest
  readonly compiled: CompiledRequest
  readonly body: string
  readonly config: RestConfig
}

async function prepareRequest(catalogue: Catalogue, url: string, asked: Asked): Promise<Prepared> {
  const { method = 'GET', headers = {} } = asked
  const config = { ...libraryConfig, ...asked.config }
  const all: Record<string, string> = { 'content-type': 'application/json', ...headers }
  const [path = '', rawQuery = ''] = url.split('?')
  const request = parseRequest({ method, path, rawQuery, header: (name) => all[name] }, config)
  const { shape, body } = await toBody(request, asked.body)
  return { request, compiled: compile({ catalogue, config }, request, shape), body, config }
}

async function toBody(request: ApiRequest, body: unknown): Promise<{ shape: BodyShape; body: string }> {
  if (body === undefined) return { shape: { kind: 'none' }, body: '' }
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const { contentType, target, query } = request
  const options = { contentType, isRoutine: target.kind === 'routine', hasColumns: query.columns !== undefined }
  const { shape, chunks } = await readBody(async (take) => take(Buffer.from(text)), options)
  return { shape, body: Buffer.concat(chunks).toString() }
}

async function run(client: pg.Client, { compiled, request, body, config }: Prepared): Promise<Found> {
  const range = toPageRange(request, config.maxRows)
  const values = compiled.statement.params.map((source) => {
    if (source.from === 'slot') return request.query.values[source.slot] ?? null
    if (source.from === 'body') return body
    return source.from === 'offset' ? range.offset : (range.limit ?? null)
  })
  const asText = { getTypeParser: () => String }
  const found = await client.query<(string | null)[]>({
    text: compiled.statement.text,
    values,
    rowMode: 'array',
    types: asText,
  })
  const cells = compiled.statement.perRow ? joinRows(found.rows, compiled) : (found.rows[0] ?? [])
  return { compiled, cells, body: parseBody(cells[resultColumns.body], compiled.output.contentType) }
}

/** The cells that one row would have. */
function joinRows(rows: readonly (string | null)[][], { output }: CompiledRequest): (string | null)[] {
  const body = rows.map((row) => row[resultColumns.body]).join(',')
  const cells = [...(rows[0] ?? [])]
  cells[resultColumns.pageRows] = String(rows.length)
  cells[resultColumns.body] = output.singular ? body : `[${body}]`
  return cells
}

function parseBody(text: string | null | undefined, contentType: string): unknown {
  return text != null && contentType.includes('json') ? JSON.parse(text) : (text ?? undefined)
}
