import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Api, ask, startApi } from './testing/start-api.ts'

// What can be done is made small: each call sleeps, on the eight connections that a role has for slow reads.
const sql = `
  create function public.quickly(id int) returns int language sql stable as 'select id';
  create function public.slowly() returns int language sql stable as 'select 1 from pg_sleep(0.2)';
`
const second = 1000

let api: Api
beforeAll(async () => {
  api = await startApi({ sql, environment: { PANDO_GATEWAY_METRICS_PUBLIC: 'true' } })
})
afterAll(() => api.stop())

type Counts = { answered: number; refused: number; others: number[] }
const noCounts = (): Counts => ({ answered: 0, refused: 0, others: [] })

type Offer = {
  readonly everyMs: number
  readonly atOnce?: number
  readonly headersOf: (turn: number) => Record<string, string>
}

/** Sends requests on a schedule for six seconds, whatever becomes of those before, and counts what they got. */
async function offer({ everyMs, atOnce = 1, headersOf }: Offer): Promise<Counts> {
  const counts = noCounts()
  const running: Promise<void>[] = []
  const send = async (turn: number): Promise<void> => {
    const { status, headers, body } = await ask(`${api.url}/rest/v1/rpc/slowly`, { headers: headersOf(turn) })
    if (status === 200) counts.answered += 1
    else if (status !== 503) counts.others.push(status)
    else {
      expect(body).toMatchObject({ code: 'gateway.overloaded', message: expect.any(String) })
      expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
      counts.refused += 1
    }
  }
  for (let turn = 0; turn * everyMs < 6 * second; turn += 1) {
    for (let count = 0; count < atOnce; count += 1) running.push(send(turn))
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
  await Promise.all(running)
  return counts
}

it('a crowd that meets a node which has just started is answered, not refused', async () => {
  const { anonKey } = api.keys
  const crowd = Array.from({ length: 200 }, (_, id) =>
    ask(`${api.url}/rest/v1/rpc/quickly?id=${id}`, { headers: { apikey: anonKey } }),
  )
  const statuses = (await Promise.all(crowd)).map(({ status }) => status)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
})

const shareAnswered = ({ answered, refused }: Counts): number => answered / (answered + refused)

describe('many times what Postgres can do', () => {
  let hog: Counts, polite: Counts, important: Counts
  beforeAll(async () => {
    const { anonKey, secretKey } = api.keys
    const tokens = await Promise.all(
      ['hog', 'a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) =>
        api.sign({ sub: `user ${name}`, role: 'authenticated' }),
      ),
    )
    const asUser = (index: number) => ({ apikey: anonKey, authorization: `Bearer ${tokens[index]}` })
    const asServer = { apikey: secretKey, 'x-pando-priority': 'critical' }
    // Everybody was here before: latency without congestion is known, and so are the tokens.
    for (let round = 0; round < 3; round += 1)
      await Promise.all(tokens.map((_token, index) => ask(`${api.url}/rest/v1/rpc/slowly`, { headers: asUser(index) })))
    ;[hog, polite, important] = await Promise.all([
      offer({ everyMs: 40, atOnce: 15, headersOf: () => asUser(0) }),
      offer({ everyMs: 150, headersOf: (turn) => asUser(1 + (turn % 7)) }),
      offer({ everyMs: 300, headersOf: () => asServer }),
    ])
  })

  it('everybody is answered or told to come back, in the words of the data API', () => {
    expect([...hog.others, ...polite.others, ...important.others]).toEqual([])
    expect(hog.refused).toBeGreaterThan(hog.answered)
  })

  it('what is important is always answered', () => {
    expect([important.refused, important.answered]).toEqual([0, 20])
  })

  it('those who ask little are served before the one who asks most of all', () => {
    expect(shareAnswered(polite)).toBeGreaterThan(0.5)
    expect(shareAnswered(polite)).toBeGreaterThan(2 * shareAnswered(hog))
  })

  it('shows in the metrics, and is over when it is over', async () => {
    const headers = { apikey: api.keys.anonKey }
    for (let count = 0; count < 5; count += 1)
      expect((await ask(`${api.url}/rest/v1/rpc/slowly`, { headers })).status).toBe(200)
    const { text } = await ask(`${api.url}/metrics`)
    expect(text).toContain('admission_in_flight{service="rest"} 0')
    expect(text).toMatch(/admission_refused_total\{service="rest",class="reads",reason="\w+"\} [1-9]/)
    expect(text).toMatch(/admission_refused_total\{service="rest",class="critical",reason="full"\} 0/)
  })
})
