import type { Dice } from './dice.ts'

/** What the grammar of addresses is made of, and what it is not. */
export const pieces: readonly string[] = [
  ...'().,:!*"\'\\->&=%+;/?#[]{}<>|~^@$ \t'.split(''),

  '->',
  '->>',
  '::',
  '...',
  '!inner',
  '()',
  '(((',
  ')))',
  '%00',
  '%ff',
  '%C3%28',
  '%ED%A0%80',
  '%F0%9F%98%80',
  '%',
  '%2',
  '%zz',
  '%25',
  '%u0041',
  '%0d%0a',

  'not.',
  'and=(',
  'or=()',
  'select=',
  'order=',
  'limit=',
  'offset=',
  'columns=',
  'on_conflict=',
  'in.(',
  'is.null',
  'eq(any).',
  'fts(',
  'count()',
  '.sum()',

  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '__proto__.polluted=eq.1',
  'constructor.prototype.polluted=1',

  'NaN',
  'Infinity',
  '-1',
  '1e999',
  '99999999999999999999',
  '2147483648',
  '0x1',
  'null',
  'undefined',
  'true',
  '\u00e9',
  '\u00ff\u00fe',
  '\u00c0\u0080',

  "';--",
  '" or 1=1',
  '$1',
  '$$',
  '{}',
  '{{{',
  '[1,',
  '1;drop table clubs',
  'pg_sleep(9)',
  '\\x',
  '(a+)+$',
  '*'.repeat(50),
]

/** Repeated often enough, each is too much of something. */
const repeated: readonly ((times: number) => string)[] = [
  (times) => `&and=${'(and'.repeat(times)}(id.eq.1${')'.repeat(times)}`,
  (times) => `&or=(${'not.or('.repeat(times)}id.eq.1${')'.repeat(times)})`,
  (times) => `&select=${'clubs(members('.repeat(times)}id${'))'.repeat(times)}`,
  (times) => `&select=${'id,'.repeat(times)}id`,
  (times) => `&select=about${'->a'.repeat(times)}`,
  (times) => `&id=in.(${'1,'.repeat(times)}1)`,
  (times) => `&order=${'id,'.repeat(times)}id`,
  (times) => '&id=eq.1'.repeat(times),
  (times) => `&${'clubs.members.'.repeat(times)}id=eq.1`,
  (times) => `&name=like.${'%25a'.repeat(times)}`,
  (times) => `&name=match.${'(a*)*'.repeat(Math.min(times, 30))}`,
  (times) => `&tags=cs.{${'{'.repeat(times)}`,
  (times) => `&x=${'"\\'.repeat(times)}`,
  (times) => `&select=${'"'.repeat(times)}`,
]

export function mutateTarget(dice: Dice, target: string): string {
  if (dice.chance(6))
    return `${target}${target.includes('?') ? '' : '?'}${dice.of(repeated)(dice.of([1, 5, 17, 40, 400, 3000]))}`
  const at = dice.number('/rest/v1/'.length, target.length)
  const kind = dice.number(0, 4)
  if (kind === 0) return target.slice(0, at) + target.slice(at + dice.number(1, 6))
  if (kind === 1) return target.slice(0, at) + target.slice(Math.max(0, at - dice.number(1, 20)))
  if (kind === 2) return target.slice(0, at) + String.fromCharCode(dice.number(0, 255)) + target.slice(at + 1)
  return target.slice(0, at) + dice.of(pieces) + target.slice(at + dice.of([0, 0, 1]))
}
