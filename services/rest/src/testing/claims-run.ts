import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'
import { Pool } from 'undici'
import { createDice, type Dice } from './dice.ts'
import { type House, jwtSecret } from './house.ts'

/** Somebody of whom everything that a request tells can be foretold. */
export type Person = {
  readonly name: string
  readonly uid: string | null
  readonly role: 'anon' | 'authenticated'
  readonly team: string | null
  readonly headers: Readonly<Record<string, string>>
}

/** So many people, every fifth without a token. */
export function makePeople(count: number): Promise<Person[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index): Promise<Person> => {
      const name = `p${index}`
      const own = { 'x-caller': name, cookie: `caller=${name}` }
      if (index % 5 === 4) return { name, uid: null, role: 'anon', team: null, headers: own }
      const uid = uidOf(name)
      const claims = { sub: uid, role: 'authenticated', team: `team ${name}` } as const
      const token = await signJwt(claims, hmacSigningKey(jwtSecret))
      return { name, uid, role: claims.role, team: claims.team, headers: { ...own, authorization: `Bearer ${token}` } }
    }),
  )
}

function uidOf(name: string): string {
  return createHash('md5')
    .update(name)
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** The rows that `claimsSchema` wants: one a person. */
export function writeNotes(people: readonly Person[]): string {
  const rows = people.filter(({ uid }) => uid !== null).map(({ uid, name }) => `('${uid}', '${name}')`)
  return `insert into public.notes values ${rows.join()}`
}

export type Tally = { answers: number; hangUps: number; refused: number; bleeds: string[] }

type Asked = {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** One request, and whether what came back is about somebody else. */
type Question = Asked & { readonly about: 'who' | 'note' | 'nothing'; readonly hangsUpAfterMs?: number }

/** What a function may leave in its session, for who comes next to find: what tells who calls, and how things run. */
const leftovers = (other: Person): readonly Leftover[] => [
  { name: 'TimeZone', value: 'Asia/Tokyo' },
  { name: 'search_path', value: 'pg_catalog' },
  { name: 'row_security', value: 'off' },
  ...aboutCaller(other),
]

type Leftover = { readonly name: string; readonly value: string }

const aboutCaller = (other: Person): readonly Leftover[] => [
  { name: 'role', value: 'anon' },
  { name: 'role', value: 'authenticated' },
  { name: 'role', value: 'service_role' },
  { name: 'request.jwt.claims', value: JSON.stringify({ sub: other.uid, role: 'service_role' }) },
  { name: 'request.jwt.claim.sub', value: other.uid ?? '' },
  { name: 'request.jwt.claim.role', value: 'service_role' },
  { name: 'request.jwt.claim', value: JSON.stringify({ sub: other.uid, team: other.team }) },
  { name: 'request.headers', value: JSON.stringify(other.headers) },
  { name: 'request.cookies', value: JSON.stringify({ caller: other.name }) },
  { name: 'request.method', value: 'BREW' },
]

function randomQuestion(dice: Dice, people: readonly Person[], leaves: typeof leftovers): Question {
  const left = (): unknown => dice.of(leaves(dice.of(people)))
  const rpc = (name: string, body: unknown): Asked => ({ method: 'POST', path: `/rest/v1/rpc/${name}`, body })
  const choice = dice.number(0, 99)
  if (choice < 30) return { method: 'GET', path: '/rest/v1/rpc/who', about: 'who' }
  if (choice < 40) return { ...rpc('who_writing', {}), about: 'who' }
  if (choice < 55) return { method: 'GET', path: '/rest/v1/notes?select=owner', about: 'note' }
  if (choice < 62) {
    const headers = {
      prefer: `return=representation,tx=${dice.of(['commit', 'rollback'])}`,
      accept: dice.of(['application/json', 'text/csv']),
    }
    return {
      method: 'PATCH',
      path: '/rest/v1/notes?select=owner',
      body: { text: 'new' },
      headers,
      about: headers.accept === 'text/csv' ? 'nothing' : 'note',
    }
  }
  if (choice < 78) return { ...rpc('leave', left()), about: 'who' }
  if (choice < 86) return { ...rpc('leave_and_fail', left()), about: 'nothing' }
  if (choice < 92) return { method: 'GET', path: '/rest/v1/notes?select=nothing,at::all', about: 'nothing' }
  const seconds = dice.number(1, 40) / 1000
  const slow = { method: 'GET', path: `/rest/v1/rpc/who_slowly?seconds=${seconds}`, about: 'who' } as const
  return dice.chance(60) ? { ...slow, hangsUpAfterMs: dice.number(0, 30) } : slow
}

const inFlightMax = 48
/** Until somebody asks again who was told that there is too much to do. */
const pauseMs = 50

export type AskOptions = {
  readonly seed: number
  readonly count: number
  /** Whether sessions are somebody else's afterwards: then functions leave only what tells who calls. */
  readonly pooled: boolean
}

/** Many people ask at once and in any order; each answer must be about who asked. */
export async function askAll(house: House, people: readonly Person[], options: AskOptions): Promise<Tally> {
  const dice = createDice(options.seed)
  const pool = new Pool(house.url, { connections: inFlightMax })
  const tally: Tally = { answers: 0, hangUps: 0, refused: 0, bleeds: [] }
  const leaves = options.pooled ? aboutCaller : leftovers
  let left = options.count
  const work = async (): Promise<void> => {
    while (left-- > 0)
      await askOne(pool, tally, { person: dice.of(people), question: randomQuestion(dice, people, leaves) })
  }
  await Promise.all(Array.from({ length: inFlightMax }, work))
  await pool.destroy()
  return tally
}

async function askOne(
  pool: Pool,
  tally: Tally,
  { person, question }: { person: Person; question: Question },
): Promise<void> {
  const { method, path, body, headers, about, hangsUpAfterMs } = question
  const signal = hangsUpAfterMs === undefined ? undefined : AbortSignal.timeout(hangsUpAfterMs)
  try {
    const answer = await pool.request({
      method: method as 'GET',
      path,
      headers: { 'content-type': 'application/json', ...person.headers, ...headers },
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    })
    const text = await answer.body.text()
    // Too much to do: that says nothing of anybody.
    if (answer.statusCode === 503) return await sleep(pauseMs).then(() => askOne(pool, tally, { person, question }))
    tally.answers += 1
    if (answer.statusCode >= 400) tally.refused += 1
    if (answer.statusCode >= 500) tally.bleeds.push(`${answer.statusCode} ${path}: ${text}`)
    else if (answer.statusCode < 300 && !isAbout(person, question, text))
      tally.bleeds.push(`${person.name} ${method} ${path}: ${text}`)
    else if (answer.statusCode >= 400 && about !== 'nothing')
      tally.bleeds.push(`${person.name} ${method} ${path} ${JSON.stringify(body)}: ${text}`)
  } catch (error) {
    if (signal?.aborted !== true) throw error
    tally.hangUps += 1
  }
}

function isAbout(person: Person, { about, method }: Question, text: string): boolean {
  if (about === 'nothing') return true
  const found: unknown = JSON.parse(text)
  if (about === 'note')
    return JSON.stringify(found) === JSON.stringify(person.uid === null ? [] : [{ owner: person.uid }])
  const { name, uid, role, team } = person
  const expected = { uid, user: role, role, team, caller: name, cookie: name, method, zone: 'UTC' }
  return JSON.stringify(Object.entries(found as object).sort()) === JSON.stringify(Object.entries(expected).sort())
}
