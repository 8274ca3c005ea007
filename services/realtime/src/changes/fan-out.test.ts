import type { Change, Relation } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import { PostgresUnavailable } from '@pando/postgres/errors'
import { setImmediate } from 'node:timers/promises'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { realtimeDefaults } from '../testing/realtime-defaults.ts'
import type { ChangesObservation, ChangesPort, Question, Verdict } from './deps.ts'
import type { ColumnFacts, TableFacts } from './facts.ts'
import { type ChangeFanOut, createChangeFanOut, type Handle } from './fan-out.ts'
import { TooEarly } from './patient-port.ts'
import { parseRequest } from './parse-request.ts'
import { parseExpressions } from '@pando/catalogue/policies/syntax'

const columns: readonly ColumnFacts[] = [
  { name: 'id', typeOid: 23, typeName: 'int4', typeText: 'integer' },
  { name: 'owner', typeOid: 25, typeName: 'text', typeText: 'text' },
].map((column) => ({ ...column, collation: 'deterministic', collationOid: 0, isGenerated: false, selectable: true }))

const oids = ['slow', 'other', 'quick', 'gone']

function toFacts(table: string, using: string): TableFacts {
  return {
    oid: oids.indexOf(table),
    schema: 'public',
    table,
    isPublished: true,
    rowsElsewhere: null,
    isUsable: true,
    hasRowSecurity: true,
    policiesApply: true,
    columns,
    key: ['id'],
    types: [],
    policies: [{ name: 'p', isPermissive: true, using }],
    readsGuarded: false,
    claimFunctions: ['uid', 'role', 'email', 'jwt'],
  }
}
const own = `((auth.jwt() ->> 'name'::text) = owner)`

/** Postgres, answering when the test says so. */
type Asked = {
  readonly questions: readonly Question[]
  readonly answer: (verdict: Verdict) => void
  readonly fail: (error?: Error) => void
}
let asked: Asked[]
let access: string
let accessReads: number
/** What is read of access, when a test holds it back. */
let reading: Promise<string> | undefined
let nowMs: number
let facts: Map<string, TableFacts>
let observed: ChangesObservation[]
let fanOut: ChangeFanOut

const port: ChangesPort = {
  findTable: async (_schema, table) => facts.get(table),
  mustSee: async () => {},
  listPublished: async () => [],
  readOperand: async ({ operand }) => operand,
  checkRows(questions) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly Verdict[])[]>()
    const answer = (verdict: Verdict): void =>
      resolve(questions.map((each) => (each.kind === 'row' ? each.callers.map(() => verdict) : [verdict])))
    asked.push({ questions, answer, fail: (error = new Error('gone')) => reject(error) })
    return promise
  },
  readAccess: async () => {
    accessReads += 1
    return (await reading) ?? access
  },
}
const settle = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await setImmediate()
}

// Loads the parser.
beforeAll(() => parseExpressions(['true']))

beforeEach(() => {
  asked = []
  access = 'as it is'
  accessReads = 0
  reading = undefined
  nowMs = 0
  observed = []
  facts = new Map([
    ['slow', toFacts('slow', 'private.may_see(id)')],
    ['other', toFacts('other', 'private.may_see(owner)')],
    ['quick', toFacts('quick', own)],
  ])
  fanOut = createChangeFanOut({
    port,
    clock: { monotonic: () => nowMs },
    options: { ...realtimeDefaults, changesPendingMax: 3 },
    observe: (observation) => observed.push(observation),
  })
})

function toCaller(name: string): Caller {
  const claims = { role: 'authenticated', name }
  return { role: claims.role, claims, claimsJson: JSON.stringify(claims) }
}

type Heard = { readonly handle: Handle; readonly told: string[] }

async function follow(caller: Caller, ...tables: string[]): Promise<Heard> {
  const told: string[] = []
  const prepared = await Promise.all(
    tables.map((table) => fanOut.prepare(parseRequest({ schema: 'public', table }), caller)),
  )
  const handle = fanOut.add({
    bindings: prepared.map((each, id) => ({ id, prepared: each })),
    caller,
    deliver: ({ cursor }) => told.push(cursor),
    lose: (reason) => told.push(reason),
    refuse: (message) => told.push(message),
  })
  return { handle, told }
}

const relations = oids.map((table, oid): Relation => ({
  oid,
  schema: 'public',
  table,
  replicaIdentity: 'default',
  columns: columns.map(({ name, typeOid, typeName }) => ({ name, typeOid, typeName, isKey: name === 'id' })),
  describedAt: 'first',
}))

function toChange(table: string, id: string, owner = 'ann'): Change {
  const relation = relations[oids.indexOf(table)]!
  return {
    cursor: `${table} ${id}`,
    kind: 'insert',
    relation,
    row: [id, owner],
    old: undefined,
    committedAt: '2026-11-22T13:05:12.123456Z',
  }
}
const tell = (...changes: Change[]): void => fanOut.onTransaction({ changes })

test('a slow policy holds back what came later for those who wait for it, and nobody else', async () => {
  const both = await follow(toCaller('ann'), 'slow', 'quick')
  const one = await follow(toCaller('ann'), 'quick')
  tell(toChange('slow', '1'), toChange('quick', '2'))
  await settle()
  expect([both.told, one.told]).toEqual([[], ['quick 2']])
  asked[0]!.answer(true)
  await settle()
  expect(both.told).toEqual(['slow 1', 'quick 2'])
})

test('tables do not wait for each other, and what comes up meanwhile goes together', async () => {
  await follow(toCaller('ann'), 'slow')
  await follow(toCaller('bob'), 'slow', 'other')
  tell(toChange('slow', '1'), toChange('other', '2'))
  await settle()
  tell(toChange('slow', '3'))
  tell(toChange('slow', '4'))
  await settle()
  expect(
    asked.map(({ questions }) => questions.map((each) => (each.kind === 'row' ? each.callers.length : 0))),
  ).toEqual([[2], [1]])
  asked[0]!.answer(true)
  await settle()
  expect(asked[2]!.questions).toHaveLength(2)
})

test('a change that comes after a revoke is not told, nor one that still waits', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'), toChange('quick', '2'))
  await settle()
  facts.set('quick', toFacts('quick', 'false'))
  fanOut.forget()
  tell(toChange('quick', '3'))
  asked[0]!.answer(true)
  await settle()
  asked[1]!.answer(false)
  await settle()
  expect(heard.told).toEqual([])
  expect(fanOut.counts().pending).toBe(0)
})

test('facts that were read before a revoke decide nothing after it', async () => {
  const heard = await follow(toCaller('ann'), 'quick')
  tell(toChange('quick', '1'))
  facts.set('quick', toFacts('quick', 'false'))
  fanOut.forget()
  await settle()
  expect(heard.told).toEqual([])
})

test('new claims decide about what waits', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'), toChange('quick', '2', 'ann'), toChange('quick', '3', 'bob'))
  await settle()
  fanOut.updateClaims(heard.handle, toCaller('bob'))
  asked[0]!.answer(true)
  await settle()
  asked[1]!.answer(false)
  await settle()
  expect(heard.told).toEqual(['quick 3'])
})

test('when Postgres cannot be asked, those who wait for it are told to fetch again', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'), toChange('quick', '2'))
  await settle()
  asked[0]!.fail()
  await settle()
  expect(heard.told).toEqual(['check-failed'])
  expect(observed).toEqual([{ kind: 'checkFailed', table: 'public.slow', error: new Error('gone') }])
  tell(toChange('quick', '3'))
  await settle()
  expect(heard.told).toEqual(['check-failed', 'quick 3'])
})

const away = new PostgresUnavailable('connection', 'Postgres cannot be reached', { sent: false })

/** The question that comes after so many others. */
async function untilAsked(count: number): Promise<Asked> {
  while (asked.length <= count) await setImmediate()
  return asked[count]!
}

test('while Postgres is away what waits for it waits, and is told in order when it is back', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'), toChange('quick', '2'))
  for (const count of [0, 1, 2]) (await untilAsked(count)).fail(away)
  tell(toChange('slow', '3'))
  const again = await untilAsked(3)
  expect(heard.told).toEqual([])
  again.answer(true)
  const next = await untilAsked(4)
  next.answer(true)
  await settle()
  expect(heard.told).toEqual(['slow 1', 'quick 2', 'slow 3'])
  expect(observed[0]).toEqual({ kind: 'waiting', error: away })
  expect(observed.filter(({ kind }) => kind === 'waiting')).toHaveLength(1)
})

test('so much may wait for Postgres, and with more the subscriber is told to fetch again', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'))
  ;(await untilAsked(0)).fail(away)
  tell(toChange('quick', '2'), toChange('quick', '3'))
  await settle()
  expect(heard.told).toEqual([])
  tell(toChange('quick', '4'))
  await settle()
  expect(heard.told).toEqual(['too-many-pending'])
  ;(await untilAsked(1)).answer(true)
})

test('a change that is not visible to others yet is asked about again, for the transaction it came with', async () => {
  const heard = await follow(toCaller('ann'), 'slow')
  fanOut.onTransaction({ changes: [toChange('slow', '1')], xid: 7 })
  ;(await untilAsked(0)).fail(new TooEarly())
  const again = await untilAsked(1)
  expect(again.questions).toMatchObject([{ xid: 7 }])
  again.answer(true)
  await settle()
  expect([heard.told, observed.map(({ kind }) => kind)]).toEqual([['slow 1'], ['checked']])
})

test('what is known of access is used for two intervals, and then confirmed or looked up anew', async () => {
  const heard = await follow(toCaller('ann'), 'quick')
  tell(toChange('quick', '1'))
  await settle()
  nowMs = 2 * realtimeDefaults.accessInterval - 1
  tell(toChange('quick', '2'))
  expect([heard.told, accessReads]).toEqual([['quick 1', 'quick 2'], 1])
  nowMs += 1
  access = 'another one'
  facts.set('quick', toFacts('quick', 'false'))
  tell(toChange('quick', '3'))
  await settle()
  expect([heard.told, accessReads]).toEqual([['quick 1', 'quick 2'], 2])
})

test('while access cannot be confirmed nothing is told', async () => {
  const heard = await follow(toCaller('ann'), 'quick')
  await settle()
  nowMs = 1_000_000
  const { promise, resolve } = Promise.withResolvers<string>()
  reading = promise
  tell(toChange('quick', '1'))
  await settle()
  expect(heard.told).toEqual([])
  resolve(access)
  await settle()
  expect(heard.told).toEqual(['quick 1'])
})

test('a table that the log describes anew is looked up anew', async () => {
  const heard = await follow(toCaller('ann'), 'quick')
  tell(toChange('quick', '1'))
  await settle()
  facts.set('quick', toFacts('quick', 'false'))
  tell({ ...toChange('quick', '2'), relation: { ...toChange('quick', '2').relation, describedAt: 'second' } })
  await settle()
  expect(heard.told).toEqual(['quick 1'])
})

test('what was missed comes before what is new', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  fanOut.replay(heard.handle, [toChange('slow', '1'), toChange('gone', '2'), toChange('quick', '3')])
  tell(toChange('quick', '4'))
  await settle()
  asked[0]!.answer(true)
  await settle()
  expect(heard.told).toEqual(['slow 1', 'quick 3', 'quick 4'])
})

test('who come back together share what is asked about what they missed, however much that is', async () => {
  const heard = [await follow(toCaller('ann'), 'slow'), await follow(toCaller('ann'), 'slow')]
  fanOut.onTransaction({ changes: [{ ...toChange('slow', 'before'), kind: 'truncate' }] })
  const missed = Array.from({ length: 150 }, (_, at) => toChange('slow', String(at)))
  for (const { handle } of heard) fanOut.replay(handle, missed)
  tell(toChange('slow', 'new'))
  let answered = 0
  while (fanOut.counts().pending > 0) {
    await setImmediate()
    for (; answered < asked.length; answered += 1) asked[answered]!.answer(true)
  }
  const told = [...missed.map(({ cursor }) => cursor), 'slow new']
  expect(heard.map((each) => each.told)).toEqual([told, told])
  expect(asked.flatMap(({ questions }) => questions)).toHaveLength(151)
})

test('who left hears nothing', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  tell(toChange('slow', '1'))
  fanOut.remove(heard.handle)
  await settle()
  asked[0]?.answer(true)
  tell(toChange('quick', '2'))
  await settle()
  expect(heard.told).toEqual([])
  expect(fanOut.counts()).toEqual({ subscribers: 0, pending: 0 })
})

test('a table that another one took the name of is told to nobody', async () => {
  const heard = await follow(toCaller('ann'), 'quick')
  facts.set('quick', { ...toFacts('quick', 'true'), oid: 99 })
  fanOut.forget()
  tell(toChange('quick', '1'))
  await settle()
  expect(heard.told).toEqual([])
})
