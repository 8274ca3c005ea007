import { createDice } from './dice.ts'
import type { House } from './house.ts'
import { type Garbage, randomGarbage } from './random-garbage.ts'
import { createRawClient, type RawAnswer, type RawClient, sendRaw } from './raw-client.ts'

/** An answer that no request may get. */
export type Fault = { readonly seed: number; readonly why: string; readonly sent: string; readonly answer: string }

/**
 * What the wire answers 5xx although the request is at fault, by SQLSTATE (PostgREST v14, "HTTP Status Codes"): nothing
 * of ours failed.
 */
const wireFaults: readonly RegExp[] = [
  /proxy-status: PostgREST; error=21000/i, // An upsert that names one row twice.
  /proxy-status: PostgREST; error=54/i, // Postgres finds a statement or a value too complex.
]

const inFlightMax = 24

/** Sends the garbage of these seeds, a piece a seed, and gives what should not have been. */
export async function sendGarbage(house: Pick<House, 'port'>, seeds: readonly number[]): Promise<Fault[]> {
  const faults: Fault[] = []
  const waiting = [...seeds]
  const work = async (): Promise<void> => {
    const client = createRawClient(house.port)
    for (let seed = waiting.pop(); seed !== undefined; seed = waiting.pop()) {
      const fault = await sendOne(house, client, seed)
      if (fault !== undefined) faults.push(fault)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: inFlightMax }, work))
  return faults
}

async function sendOne(house: Pick<House, 'port'>, client: RawClient, seed: number): Promise<Fault | undefined> {
  const garbage = randomGarbage(createDice(seed))
  try {
    const { why, answer } = await judge(house, client, garbage)
    return why === undefined ? undefined : { seed, why, sent: describe(garbage), answer: answer.slice(0, 1500) }
  } catch (error) {
    return { seed, why: String(error), sent: describe(garbage), answer: '' }
  }
}

async function judge(
  house: Pick<House, 'port'>,
  client: RawClient,
  garbage: Garbage,
): Promise<{ why?: string; answer: string }> {
  if (garbage.kind === 'whole') {
    const answer = await client.ask(garbage.bytes, garbage)
    return { why: whyWrong(answer), answer: answer === 'closed' ? '' : `${answer.head}\n\n${answer.body}` }
  }
  const answer = await sendRaw(house.port, garbage.pieces)
  const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status))
  const isFault = statuses.some((status) => status >= 500) && !wireFaults.some((pattern) => pattern.test(answer))
  return { why: isFault ? 'a server fault' : whyTelling(answer), answer }
}

function whyWrong(answer: RawAnswer): string | undefined {
  // Hanging up is an answer to what is not HTTP.
  if (answer === 'closed') return undefined
  const { status, head, body } = answer
  if (/\r\ncontent-encoding: /i.test(head)) return status < 500 ? undefined : 'a server fault'
  if (status >= 500 && !wireFaults.some((pattern) => pattern.test(head))) return 'a server fault'
  if (/\r\ncontent-type: application\/(?:problem\+)?json/i.test(head) && body !== '' && !isJson(body))
    return 'JSON that is none'
  // Node itself answers an `Expect` that it does not know, without a word.
  if (status === 417) return undefined
  if (status >= 400 && body !== '' && !/"(?:message|title)":/.test(body)) return 'an error that says nothing'
  return whyTelling(`${head}\n${body}`)
}

/**
 * Our statements, our files and stack traces are nobody's business; `pando_call` is what errors call the rows of a
 * call.
 */
const telling =
  /pando_(?!call\.)|json_agg\(|row_to_json|set_config\(|node:internal|\n\s+at .+:\d+:\d+|\/(?:libs|services|node_modules)\//

const whyTelling = (text: string): string | undefined => {
  const found = telling.exec(text)?.[0]
  return found === undefined ? undefined : `tells of the inside: ${found}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function describe(garbage: Garbage): string {
  const bytes = garbage.kind === 'whole' ? garbage.bytes : Buffer.concat(garbage.pieces)
  return bytes.toString('latin1').slice(0, 1500)
}

const stallMsMax = 100

/**
 * The seeds whose garbage holds the event loop for more than 100 ms whenever it is sent. On a machine that does other
 * things besides, a stall is believed when it comes back: three times in a row, in ever smaller parts down to one.
 */
export async function findStalls(house: Pick<House, 'port' | 'probe'>, seeds: readonly number[]): Promise<number[]> {
  for (let tries = 0; tries < 3; tries += 1) {
    await house.probe()
    await sendGarbage(house, seeds)
    if (!(await hasStalled(house))) return []
  }
  if (seeds.length === 1) return [...seeds]
  const middle = Math.ceil(seeds.length / 2)
  const parts = [await findStalls(house, seeds.slice(0, middle)), await findStalls(house, seeds.slice(middle))]
  return parts.flat()
}

/** Whether the event loop was held for too long since the last time it was asked. */
export async function hasStalled(house: Pick<House, 'probe'>): Promise<boolean> {
  return (await house.probe()).stallMs > stallMsMax
}
