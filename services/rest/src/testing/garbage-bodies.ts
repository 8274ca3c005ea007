import type { Dice } from './dice.ts'

const oddText: readonly string[] = [
  '__proto__',
  '"__proto__":{"polluted":1},',
  '"constructor":{"prototype":{"polluted":1}},',
  '\\u0000',
  '\\ud800',
  '\\udc00\\ud800',
  '\u0000',
  '\ufeff',

  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\\',
  '1e999999',
  '-',
  '-0',
  '00',
  '.5',
  'NaN',
  'nul',
  'tru',
  '/*x*/',
  '\n',
  '\t',
  '1'.repeat(400),
  '"id":1,"id":2,',

  '%',
  '%zz',
  '%00',
  '&',
  '=',
  '+',
  'id=1&id=2&',
  '__proto__[x]=1&',
  '"unclosed',
  'a,b,c\n',
  ',,,,\n',
  '\r',
  '""',
  'NULL',
]

export function mutateBody(dice: Dice, body: Buffer): Buffer {
  const at = dice.number(0, body.length)
  const kind = dice.number(0, 4)
  const insert = (bytes: Buffer, drop = 0): Buffer =>
    Buffer.concat([body.subarray(0, at), bytes, body.subarray(at + drop)])
  if (kind === 0) return body.subarray(0, at)
  if (kind === 1)
    return insert(Buffer.from(dice.times(dice.number(1, 4), () => dice.number(0, 255))), dice.number(0, 2))
  if (kind === 2)
    return insert(
      Buffer.from(dice.of([[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0]])),
    )
  if (kind === 3) return insert(Buffer.from('[{"a":'.repeat(dice.of([1, 10, 100]))))
  return insert(Buffer.from(dice.of(oddText)), dice.of([0, 0, 1, 5]))
}

/** Made when they are wanted: they are large. */
export const hugeBodies: readonly (() => Buffer)[] = [
  () => Buffer.from('['.repeat(200_000)),
  () => Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
  () => Buffer.from(`{"about":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`),
  () => Buffer.from(`{${Array.from({ length: 50_000 }, (_, index) => `"k${index}":1`).join()}}`),
  () => Buffer.from(`[${Array.from({ length: 5_000 }, (_, index) => `{"k${index}":1}`).join()}]`),
  () => Buffer.from(`{"name":"${'\\u0061'.repeat(100_000)}"}`),
  () => Buffer.from(`{"score":${'9'.repeat(300_000)}}`),
  () => Buffer.from('a,'.repeat(200_000)),
  () => Buffer.from('a\n'.repeat(200_000)),
  () => Buffer.from('a=1&'.repeat(100_000)),
  () => Buffer.from(Array.from({ length: 100_000 }, (_, index) => `k${index}=1`).join('&')),
  () => Buffer.from(`${Array.from({ length: 50_000 }, (_, index) => `k${index}`).join()}\n${'1,'.repeat(49_999)}1\n`),
  () => Buffer.from(`a,b\n${'"x,y",z\n'.repeat(100_000)}`),
  () => Buffer.from('"'.repeat(300_000)),
  () => Buffer.from('\\'.repeat(300_000)),
]
