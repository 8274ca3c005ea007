import type { Dice } from './dice.ts'
import { hugeBodies, mutateBody } from './garbage-bodies.ts'
import { mutateHeader } from './garbage-headers.ts'
import { validRequests, type WellFormed } from './garbage-requests.ts'
import { mutateTarget } from './garbage-targets.ts'

/** What is sent, and whether its envelope is whole: then exactly one answer must come. */
export type Garbage =
  | { readonly kind: 'whole'; readonly bytes: Buffer; readonly isHead: boolean }
  | { readonly kind: 'broken'; readonly pieces: readonly Buffer[] }

/** A request that is wrong in one or several ways; nine in ten are HTTP, so that they get far. */
export function randomGarbage(dice: Dice): Garbage {
  if (dice.chance(8)) return { kind: 'broken', pieces: split(dice, brokenHttp(dice)) }
  let request = dice.of(validRequests)
  for (let left = dice.number(1, 3); left > 0; left -= 1) request = mutate(dice, request)
  return { kind: 'whole', bytes: writeHttp(request), isHead: request.method === 'HEAD' }
}

function mutate(dice: Dice, request: WellFormed): WellFormed {
  const hasBody = request.body.length > 0
  const kind = dice.number(0, 9)
  if (kind < 5) return { ...request, target: mutateTarget(dice, request.target) }
  if (kind < 7 || !hasBody) return { ...request, headers: mutateHeader(dice, request.headers) }
  if (kind === 7 && dice.chance(10)) return { ...request, body: dice.of(hugeBodies)() }
  return { ...request, body: mutateBody(dice, request.body) }
}

// oxlint-disable-next-line no-control-regex -- these are what must not be there
const endsTarget = /[\x00-\x20\x7f]/g
// oxlint-disable-next-line no-control-regex -- the same
const endsLine = /[\x00-\x08\x0a-\x1f\x7f]/g

/** The envelope stays whole: what would end a line or the target is percent-encoded or made a blank. */
export function writeHttp({ method, target, headers, body }: WellFormed): Buffer {
  const path = target.replaceAll(endsTarget, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(2, '0')}`)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value.replaceAll(endsLine, ' ')}\r\n`)
  const length = body.length > 0 || method !== 'GET' ? `content-length: ${body.length}\r\n` : ''
  const head = `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${lines.join('')}${length}\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

function brokenHttp(dice: Dice): Buffer {
  const valid = writeHttp(dice.of(validRequests))
  const text = valid.toString('latin1')
  const [line = '', ...rest] = text.split('\r\n')
  const withHead = (header: string): Buffer => Buffer.from(`${line}\r\n${header}\r\n${rest.join('\r\n')}`, 'latin1')
  const choices: readonly (() => Buffer)[] = [
    () => randomBytes(dice, dice.number(1, 300)),
    () => valid.subarray(0, dice.number(0, valid.length)),
    () => splice(dice, valid, randomBytes(dice, dice.number(1, 8))),
    () => Buffer.concat([valid, valid, splice(dice, valid, randomBytes(dice, 2)), valid]),
    () => withHead('transfer-encoding: chunked\r\ncontent-length: 3'),
    () => withHead('content-length: 5\r\ncontent-length: 6'),
    () => withHead(`content-length: ${dice.of(['-1', '99999999999999999999', '0x10', '1 1', ''])}`),
    () => withHead(` folded: header`),
    () => withHead(`x${'y'.repeat(dice.of([10_000, 90_000]))}: z`),
    () => withHead(Array.from({ length: 300 }, (_, index) => `h${index}: v`).join('\r\n')),
    () => withHead('na me: value'),
    () => Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1'),
    () =>
      Buffer.from(
        text.replace('HTTP/1.1', dice.of(['HTTP/0.9', 'HTTP/2.0', 'HTTP/1.1 x', 'http/1.1', 'HTTP/1.'])),
        'latin1',
      ),
    () => Buffer.from(text.replace(/^\w+/, dice.of(['CONNECT', 'TRACE', 'get', 'PROPFIND', 'G\0T', ''])), 'latin1'),
    () =>
      Buffer.from(
        text.replace(
          / \S+ /,
          dice.of([' * ', ' http://other/rest/v1/members ', ' //x ', ' rest/v1 ', ` /${'a'.repeat(40_000)} `]),
        ),
        'latin1',
      ),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1'),
    () => Buffer.from([0x16, 3, 1, 0, 0xa5, 1, 0, 0, 0xa1, 3, 3, ...randomBytes(dice, 32)]),
    () =>
      Buffer.from(
        `POST /rest/v1/members HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${dice.of(['5\r\n[{"id', 'zz\r\n', '-1\r\n', 'ffffffffffffffff\r\n', '1\r\n[\r\n0\r\n\r\n', '1;a=b\r\n[\r\n1\r\n]\r\n0\r\nx: y\r\n\r\n'])}`,
        'latin1',
      ),
  ]
  return dice.of(choices)()
}

/** Into up to four pieces, cut anywhere. */
function split(dice: Dice, bytes: Buffer): Buffer[] {
  const cuts = dice.times(dice.number(0, 3), () => dice.number(0, bytes.length)).sort((one, other) => one - other)
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index] ?? bytes.length))
}

export function randomBytes(dice: Dice, count: number): Buffer {
  return Buffer.from(dice.times(count, () => dice.number(0, 255)))
}

function splice(dice: Dice, bytes: Buffer, inserted: Buffer): Buffer {
  const at = dice.number(0, bytes.length)
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at + dice.number(0, 3))])
}
