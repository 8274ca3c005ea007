import { seededRandom } from '@pando/core/testing/seeded-random'
import { frameOf, opcodes } from './raw-socket.ts'

const topics = [
  'phoenix',
  'realtime:a',
  'realtime:b',
  'realtime:',
  'realtime',
  '',
  '__proto__',
  'realtime:__proto__',
  '🌳\0',
]
const events = [
  'phx_join', 'phx_join', 'phx_leave', 'heartbeat', 'access_token', 'broadcast', 'presence', 'phx_close', 'x', 'toString',
] // prettier-ignore
const words = [
  'config',
  'presence',
  'key',
  'enabled',
  'broadcast',
  'self',
  'ack',
  'replay',
  'since',
  'limit',
  'private',
]
const names = [
  ...words,
  'postgres_changes',
  'access_token',
  'event',
  'payload',
  'cursor',
  'schema',
  'table',
  'filter',
  'type',
]
const values = [
  null,
  true,
  false,
  0,
  -1,
  1e308,
  '',
  'true',
  'track',
  'untrack',
  'a.b.c',
  '\ud800',
  '__proto__',
  'a=eq.1',
]

/** Gives so many frames as clients send them who mean no good, or do not know better. */
export function randomFrames(seed: number): (count: number) => Buffer[] {
  const random = seededRandom(seed)
  const below = (max: number): number => Math.floor(random() * max)
  const pick = <T>(all: readonly T[]): T => all[below(all.length)]!
  const bytes = (max: number): Buffer => Buffer.from(Array.from({ length: below(max) }, () => below(256)))

  const value = (depth: number): unknown => {
    if (depth === 0 || random() < 0.3) return pick(values)
    const inner = (): unknown => value(depth - 1)
    if (random() < 0.2) return Array.from({ length: below(4) }, inner)
    // A private channel asks the database; that is for other tests.
    return Object.fromEntries(
      Array.from({ length: below(5) }, () => [pick(names.filter((name) => name !== 'private')), inner()]),
    )
  }
  const message = (): unknown => {
    const ref = (): unknown => (random() < 0.9 ? String(below(4)) : value(1))
    return [
      ref(),
      ref(),
      random() < 0.95 ? pick(topics) : value(1),
      random() < 0.95 ? pick(events) : value(1),
      value(5),
    ]
  }
  const mangle = (json: string): Buffer => {
    const mangled = Buffer.from(json)
    for (let count = below(4); count > 0; count -= 1) mangled[below(mangled.length)] = below(128)
    return mangled.subarray(0, random() < 0.2 ? below(mangled.length) : undefined)
  }
  const pushOf = (): Buffer => {
    const texts = ['1', '2', pick(topics), pick(events)].map((each) => Buffer.from(each))
    const isUser = random() < 0.7
    const head = [isUser ? 3 : 0, ...texts.map(({ length }) => length), ...(isUser ? [0, below(3)] : [])]
    return Buffer.concat([
      Buffer.from(head),
      ...texts,
      random() < 0.5 ? bytes(40) : Buffer.from(JSON.stringify(value(3))),
    ])
  }
  const kinds: readonly (() => Buffer)[] = [
    () => frameOf(opcodes.text, JSON.stringify(message())),
    () => frameOf(opcodes.text, mangle(JSON.stringify(message()))),
    () => frameOf(opcodes.binary, bytes(60)),
    () => frameOf(opcodes.binary, pushOf()),
    () => frameOf(opcodes.ping, bytes(126).subarray(0, 125)),
    () => {
      const json = JSON.stringify(message())
      const cut = below(json.length)
      const first = frameOf(opcodes.text, json.slice(0, cut), { isFinal: false })
      return Buffer.concat([first, frameOf(opcodes.continuation, json.slice(cut))])
    },
  ]
  // These end the socket.
  const broken = (): Buffer => (random() < 0.5 ? bytes(30) : frameOf(below(16), bytes(30), { reserved: below(8) }))
  return (count) => Array.from({ length: count }, () => (random() < 0.001 ? broken() : pick(kinds)()))
}
