import { people, words } from './callers.ts'
import type { Dice } from './dice.ts'
import type { Ask, Filter, Item, Read, Test } from './request-model.ts'

/** The same read with other values: a question of its own that the server answers by the same statement. */
export function revalue(dice: Dice, ask: Extract<Ask, { kind: 'read' }>): Extract<Ask, { kind: 'read' }> {
  return { ...ask, read: revalueRead(dice, ask.read) }
}

function revalueRead(dice: Dice, read: Read): Read {
  return {
    ...read,
    select: read.select.map((item) => revalueItem(dice, item)),
    filters: read.filters.map((filter) => revalueFilter(dice, filter)),
    ...(read.limit === undefined ? {} : { limit: dice.number(1, 5) }),
    ...(read.offset === undefined ? {} : { offset: dice.number(0, 3) }),
  }
}

function revalueItem(dice: Dice, item: Item): Item {
  if (item.kind !== 'embed' && item.kind !== 'spread') return item
  return { ...item, embed: { ...item.embed, read: revalueRead(dice, item.embed.read) } }
}

function revalueFilter(dice: Dice, filter: Filter): Filter {
  if (filter.kind === 'embed') return filter
  if (filter.kind === 'test') return { ...filter, test: revalueTest(dice, filter.test) }
  return { ...filter, parts: filter.parts.map((part) => revalueFilter(dice, part)) }
}

function revalueTest(dice: Dice, test: Test): Test {
  if ('values' in test)
    return { ...test, values: test.values.map((value) => otherValue(dice, value) as string | number) }
  if (test.operator === 'is') return test
  if (test.operator === 'like') return { ...test, prefix: dice.of(words).slice(0, 1) }
  return { ...test, value: otherValue(dice, test.value) }
}

function otherValue(dice: Dice, value: string | number | boolean): string | number | boolean {
  if (typeof value === 'number') return dice.number(0, 5)
  if (typeof value === 'boolean') return dice.chance(50)
  return value.length > 10 ? dice.of(people) : dice.of(words)
}
