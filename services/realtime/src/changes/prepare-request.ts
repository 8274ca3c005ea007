import type { Caller } from '@pando/core/caller'
import type { ChangesPort } from './deps.ts'
import type { ColumnFacts, PublishedTable, TableFacts } from './facts.ts'
import { loadParser } from '@pando/catalogue/policies/syntax'
import { createFilterTest, type FilterTest } from './filter-test.ts'
import { type ChangeRequest, type Filter, SubscriptionRefused } from './request.ts'
import type { Indexed } from './subscription-index.ts'

/**
 * A request whose table and columns exist, with conditions made ready. One with conditions on a whole schema has a part
 * for each table that is published now, because the columns need not have the same types.
 */
export type Prepared = { readonly parts: readonly Indexed[] }

export type Preparations = {
  prepare(request: ChangeRequest, caller: Pick<Caller, 'role'>): Promise<Prepared>
  forget(): void
}

/** Tables that are remembered at once; all are forgotten above it. */
const tablesMax = 2000

/**
 * Checks requests as the protocol does when a client subscribes: the table is published, the role may select the
 * columns of conditions and of `select`, operands are what the column's type reads. And that the log has its changes:
 * nobody would notice that none come. Rejects with `SubscriptionRefused`.
 */
export function createPreparations(port: ChangesPort): Preparations {
  let tables = new Map<string, Promise<TableFacts | undefined>>()

  const findTable = (schema: string, table: string, role: string): Promise<TableFacts | undefined> => {
    const name = JSON.stringify([schema, table, role])
    const known = tables.get(name)
    if (known !== undefined) return known
    if (tables.size >= tablesMax) tables = new Map()
    const asked = port.findTable(schema, table, role)
    tables.set(name, asked)
    const drop = (): void => void (tables.get(name) === asked && tables.delete(name))
    // A table may be published at any time: only what can be followed is remembered.
    asked.then((facts) => facts?.isPublished !== true && drop(), drop)
    return asked
  }
  const prepareParts = async (request: ChangeRequest, role: string): Promise<readonly Indexed[]> => {
    const isOne = request.schema !== '*' && request.table !== '*'
    const names = isOne ? [request] : await listMeant(port, request)
    // Without conditions tables that are published later are followed too.
    if (!isOne && request.filters.length === 0) return names.length === 0 ? [] : [{ request, tests: [] }]
    const found = await Promise.all(names.map(({ schema, table }) => findTable(schema, table, role)))
    const published = found.filter((facts) => facts?.isPublished === true)
    for (const facts of published) mustBeInLog(facts!)
    if (published.some((facts) => facts!.policiesApply)) await loadParser()
    return Promise.all(published.map((facts) => preparePart(port, request, facts!)))
  }
  return {
    async prepare(request, { role }) {
      try {
        const parts = await prepareParts(request, role)
        if (parts.length > 0) return { parts }
      } catch (error) {
        if (error instanceof SubscriptionRefused) throw new SubscriptionRefused(refusedBecause(request, error.message))
        throw error
      }
      throw new SubscriptionRefused(notPublished(request))
    },
    forget() {
      tables = new Map()
    },
  }
}

/** All tables that a request for a whole schema is about. */
async function listMeant(port: ChangesPort, request: ChangeRequest): Promise<readonly PublishedTable[]> {
  const meant = (await port.listPublished()).filter((each) => isMeant(request, each))
  for (const each of meant) mustBeInLog(each)
  return meant
}

function isMeant(request: ChangeRequest, { schema, table }: PublishedTable): boolean {
  return (request.schema === '*' || request.schema === schema) && (request.table === '*' || request.table === table)
}

function mustBeInLog(table: PublishedTable): void {
  const reason = whyNotInLog(table)
  if (reason !== undefined) throw new SubscriptionRefused(reason)
}

/** What somebody who follows this is told, now that one of these tables has its rows elsewhere; undefined if none has. */
export function findRefusal({ parts }: Prepared, tables: readonly PublishedTable[]): string | undefined {
  for (const { request } of parts) {
    const reason = tables
      .filter((each) => isMeant(request, each))
      .map(whyNotInLog)
      .find((each) => each !== undefined)
    if (reason !== undefined) return refusedBecause(request, reason)
  }
  return undefined
}

function whyNotInLog({ schema, table, rowsElsewhere }: PublishedTable): string | undefined {
  if (rowsElsewhere === null) return undefined
  return (
    `changes of ${schema}.${table} are not in the log: ${whyElsewhere[rowsElsewhere]}. ` +
    'Who follows all tables can do so once this one is not in the publication'
  )
}

const whyElsewhere = {
  workers: 'Citus has its rows on other servers. Send a message with each change instead, by realtime.send()',
  shards: 'Citus keeps them under another name. On all servers set citus.enable_change_data_capture = on',
} as const

async function preparePart(port: ChangesPort, request: ChangeRequest, facts: TableFacts): Promise<Indexed> {
  const { schema, table } = facts
  const columns = new Map(facts.columns.filter(({ selectable }) => selectable).map((column) => [column.name, column]))
  const missing = request.select?.find((name) => !columns.has(name))
  if (missing !== undefined) throw new SubscriptionRefused(raised(`invalid column for select ${missing}`))
  const prepareTest = async (filter: Filter): Promise<FilterTest> => {
    const column = columns.get(filter.column)
    if (column === undefined) throw new SubscriptionRefused(raised(`invalid column for filter ${filter.column}`))
    const isEnum = facts.types.some(({ oid, kind }) => oid === column.typeOid && kind === 'e')
    return createFilterTest(filter, { ...column, isEnum }, await readOperand(port, filter, column))
  }
  return { request: { ...request, schema, table }, tests: await Promise.all(request.filters.map(prepareTest)) }
}

const raised = (message: string): string => `ERROR P0001 (raise_exception) ${message}`

/** Operands that Postgres would print as they are do not have to be read by it. */
function readOperand(port: ChangesPort, { operator, value }: Filter, { typeOid }: ColumnFacts): Promise<string> {
  const isOrder = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte', 'isdistinct'].includes(operator)
  if (isOrder && plain[typeOid]?.test(value) === true) return Promise.resolve(value)
  return port.readOperand({ operator, typeOid, operand: value })
}

const anyText = /^[^\0]*$/

const plain: Readonly<Record<number, RegExp>> = {
  20: /^(?:0|-?[1-9]\d{0,17})$/,
  21: /^(?:0|-?[1-9]\d{0,3})$/,
  23: /^(?:0|-?[1-9]\d{0,8})$/,
  25: anyText,
  1043: anyText,
  2950: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/,
}

const notPublished = (request: ChangeRequest): string =>
  'Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given connect ' +
  `parameters: ${inspect(request)}`

const refusedBecause = (request: ChangeRequest, reason: string): string =>
  'Unable to subscribe to changes with given parameters. An exception happened so please check your connect parameters: ' +
  `${inspect(request)}. Exception: ${reason}`

/** As the protocol's error texts show requests. */
function inspect({ event, schema, table, filters, select }: ChangeRequest): string {
  const conditions = filters.map(({ column, operator, value, negate }) => {
    return `{${[column, operator, value].map((part) => JSON.stringify(part)).join(', ')}, ${negate}}`
  })
  const chosen = select === undefined ? 'nil' : `[${select.map((name) => JSON.stringify(name)).join(', ')}]`
  return `[event: ${event}, schema: ${schema}, table: ${table}, filters: [${conditions.join(', ')}], select: ${chosen}]`
}
