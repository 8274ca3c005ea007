import type { Change, Relation } from '@pando/changes/change'
import type { Caller } from '@pando/core/caller'
import { setImmediate } from 'node:timers/promises'
import { beforeAll, beforeEach, expect, test } from 'vitest'
import type { ChangesObservation, ChangesPort, Question, Verdict } from './deps.ts'
import type { ColumnFacts, TableFacts } from './facts.ts'
import { type ChangeFanOut, createChangeFanOut, type Handle } from './fan-out.ts'
import { parseRequest } from './parse-request.ts'
import { parseExpressions } from './policies/syntax.ts'

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
  readonly fail: () => void
}
let asked: Asked[]
let facts: Map<string, TableFacts>
let observed: ChangesObservation[]
let fanOut: ChangeFanOut

const port: ChangesPort = {
  findTable: async (_schema, table) => facts.get(table),
  listPublished: async () => [],
  readOperand: async ({ operand }) => operand,
  checkRows(questions) {
    const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly Verdict[])[]>()
    const answer = (verdict: Verdict): void =>
      resolve(questions.map((each) => (each.kind === 'row' ? each.callers.map(() => verdict) : [verdict])))
    asked.push({ questions, answer, fail: () => reject(new Error('gone')) })
    return promise
  },
}
const settle = async (): Promise<void> => {
  for (let round = 0; round < 20; round += 1) await setImmediate()
}

// Loads the parser.
beforeAll(() => parseExpressions(['true']))

beforeEach(() => {
  asked = []
  observed = []
  facts = new Map([
    ['slow', toFacts('slow', 'private.may_see(id)')],
    ['other', toFacts('other', 'private.may_see(owner)')],
    ['quick', toFacts('quick', own)],
  ])
  fanOut = createChangeFanOut({ port, pendingMax: 3, observe: (observation) => observed.push(observation) })
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
  })
  return { handle, told }
}

function toChange(table: string, id: string, owner = 'ann'): Change {
  const relation: Relation = {
    oid: oids.indexOf(table),
    schema: 'public',
    table,
    replicaIdentity: 'default',
    columns: columns.map(({ name, typeOid, typeName }) => ({ name, typeOid, typeName, isKey: name === 'id' })),
  }
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

test('what was missed comes before what is new', async () => {
  const heard = await follow(toCaller('ann'), 'slow', 'quick')
  fanOut.replay(heard.handle, [toChange('slow', '1'), toChange('gone', '2'), toChange('quick', '3')])
  tell(toChange('quick', '4'))
  await settle()
  asked[0]!.answer(true)
  await settle()
  expect(heard.told).toEqual(['slow 1', 'quick 3', 'quick 4'])
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
