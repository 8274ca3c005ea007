import { describe, expect, it } from 'vitest'
import { Refusal } from '@pando/core/refusal'
import type { QueryTarget } from './parse-query.ts'
import { parseQuery } from './parse-query.ts'
import { queryLimits } from './query-limits.ts'

const parse = (raw: string, target: QueryTarget = 'relation') => parseQuery(raw, target)
const plain = (name: string) => ({ name, path: [] })
const column = (name: string) => ({ kind: 'field', field: plain(name) })
const slot = (operator: string, slot = 0) => ({ kind: 'compare', operator, slot })

describe('select', () => {
  it.each([
    ['everything when it is missing', '', [column('*')]],
    [
      'columns, with blanks and dashes in their names',
      'select=id,Unit Price,x-y',
      ['id', 'Unit Price', 'x-y'].map(column),
    ],
    ['no column at all', 'select=', []],
    ['an alias and a cast', 'select=n:name::text', [{ ...column('name'), alias: 'n', cast: 'text' }]],
    ['a quoted name', 'select="a.b\\"c"', [column('a.b"c')]],
    [
      'steps into JSON',
      'select=d->a->>-1::int,d->0xy1->23-xy-45',
      [
        { kind: 'field', cast: 'int', field: { name: 'd', path: [key('->', 'a'), index('->>', '-1')] } },
        { kind: 'field', field: { name: 'd', path: [key('->', '0xy1'), key('->', '23-xy-45')] } },
      ],
    ],
    [
      'a JSON index in an embed',
      'select=r(d->0)',
      [embed('r', [{ kind: 'field', field: { name: 'd', path: [index('->', '0')] } }])],
    ],
    [
      'embeds with alias, hint and join',
      'select=a:r!fk!inner(id,s!left!hint(*)),t()',
      [
        {
          ...embed('r', [column('id'), { ...embed('s', [column('*')]), hint: 'hint', join: 'left' }]),
          alias: 'a',
          hint: 'fk',
          join: 'inner',
        },
        embed('t', []),
      ],
    ],
    ['a hint that starts like a join', 'select=r!leftover(id)', [{ ...embed('r', [column('id')]), hint: 'leftover' }]],
    ['a spread', 'select=...r!inner(a)', [{ kind: 'spread', name: 'r', join: 'inner', select: [column('a')] }]],
    [
      'aggregates',
      'select=n:count()::text,amount::int.sum()::text',
      [
        { kind: 'field', alias: 'n', aggregate: { name: 'count', cast: 'text' } },
        { ...column('amount'), cast: 'int', aggregate: { name: 'sum', cast: 'text' } },
      ],
    ],
    ['a column and a relation called count', 'select=count,"count"()', [column('count'), embed('count', [])]],
    ['letters of any script', 'select=%D9%85%D9%88%D8%A7%D8%B1%D8%AF', [column('موارد')]],
  ])('gives %s', (_, raw, select) => {
    expect(parse(raw).select).toEqual(select)
  })
})

describe('a filter', () => {
  it.each([
    ['eq.a+b%2Bc', slot('eq'), 'a b+c'],
    ['eq.', slot('eq'), ''],
    ['eq."quotes stay"', slot('eq'), '"quotes stay"'],
    ['like.*x*', slot('like'), '%x%'],
    ['match.*x*', slot('match'), '*x*'],
    ['ilike(any).{a*,b}', { ...slot('ilike'), quantifier: 'any' }, '{a%,b}'],
    ['gte(all).{1,2}', { ...slot('gte'), quantifier: 'all' }, '{1,2}'],
    ['isdistinct.{1,2}', { kind: 'isdistinct', slot: 0 }, '{1,2}'],
    ['in.("a,b",c)', { kind: 'in', slot: 0 }, '{"a,b","c"}'],
    ['in.("q\\"b\\\\",x"y)', { kind: 'in', slot: 0 }, '{"q\\"b\\\\","x\\"y"}'],
    ['in.()', { kind: 'in', slot: 0 }, '{}'],
    ['in.( 1, 2 )', { kind: 'in', slot: 0 }, '{"1"," 2 "}'],
    ['fts.a&b'.replace('&', '%26'), { kind: 'fts', operator: 'fts', slot: 0 }, 'a&b'],
    ['cs.{a,b}', slot('cs'), '{a,b}'],
  ])('id=%s is one condition', (text, operation, value) => {
    const { filters, values } = parse(`id=${text}`)
    expect(filters).toEqual([{ path: [], tree: { kind: 'condition', field: plain('id'), negated: false, operation } }])
    expect(values).toEqual([value])
  })

  it.each(['null', 'not_null', 'true', 'false', 'unknown'])('is.%s has no value, in any case of letters', (value) => {
    const { filters, values } = parse(`id=is.${value.toUpperCase()}`)
    expect(filters[0]?.tree).toMatchObject({ operation: { kind: 'is', value } })
    expect(values).toEqual([])
  })

  it('takes the language of a text search for a value', () => {
    const { filters, values, shape } = parse('t=not.wfts(simple english).cat')
    expect(filters[0]?.tree).toMatchObject({ negated: true, operation: { operator: 'wfts', languageSlot: 0, slot: 1 } })
    expect(values).toEqual(['simple english', 'cat'])
    expect(shape).toBe(parse('t=not.wfts(german).dog').shape)
  })

  it('may be on an embed, on a quoted name and on a step into JSON', () => {
    const { filters } = parse('a.b.data->x->>0=eq.1&"a.b"=eq.2')
    expect(filters.map(({ path }) => path)).toEqual([['a', 'b'], []])
    expect(filters.map(({ tree }) => tree.kind === 'condition' && tree.field)).toEqual([
      { name: 'data', path: [key('->', 'x'), index('->>', '0')] },
      plain('a.b'),
    ])
  })

  it('is an argument when a function is called by GET and no operator is there', () => {
    const { args, filters, values } = parse('a=5&b=eq.1&v=x&v=not.y', 'routine-get')
    expect(args).toEqual([
      { name: 'a', slot: 0 },
      { name: 'v', slot: 2 },
      { name: 'v', slot: 3 },
    ])
    expect(filters).toHaveLength(1)
    expect(values).toEqual(['5', '1', 'x', 'not.y'])
  })
})

describe('a logic tree', () => {
  it('nests, negates and quotes', () => {
    const { filters, values } = parse('r.not.or=( id.eq.1 , not.and(a.not.in.(1,"2,3"),b.cs.{x,y}),order.eq."(a,b)")')
    const condition = (name: string, operation: unknown, negated = false) => ({
      kind: 'condition',
      field: plain(name),
      negated,
      operation,
    })
    expect(filters).toEqual([
      {
        path: ['r'],
        tree: {
          kind: 'or',
          negated: true,
          children: [
            condition('id', slot('eq', 0)),
            {
              kind: 'and',
              negated: true,
              children: [condition('a', { kind: 'in', slot: 1 }, true), condition('b', slot('cs', 2))],
            },
            condition('order', slot('eq', 3)),
          ],
        },
      },
    ])
    expect(values).toEqual(['1 ', '{"1","2,3"}', '{x,y}', '(a,b)'])
  })

  it('tells groups from columns whose names begin like them', () => {
    const { filters } = parse('or=(and_x.eq.1,or.eq.2,not.eq.3)')
    expect(filters[0]?.tree).toMatchObject({ children: ['and_x', 'or', 'not'].map((name) => ({ field: { name } })) })
  })

  it('ignores what follows its closing parenthesis', () => {
    expect(parse('and=(id.eq.1,id.neq.2))').filters).toHaveLength(1)
  })
})

describe('order, limit and offset', () => {
  it('order takes directions, nulls, JSON steps and columns of embeds', () => {
    expect(parse('r.order=a.desc.nullslast, d->>k.nullsfirst,s(b->0).asc,"c.d"').orders).toEqual([
      {
        path: ['r'],
        terms: [
          { field: plain('a'), direction: 'desc', nulls: 'last' },
          { field: { name: 'd', path: [key('->>', 'k')] }, nulls: 'first' },
          { embed: 's', field: { name: 'b', path: [index('->', '0')] }, direction: 'asc' },
          { field: plain('c.d') },
        ],
      },
    ])
  })

  it('the last limit of a place counts', () => {
    const { limits, offsets, values } = parse('limit=5&r.limit=3&limit=7&offset=-4')
    expect(limits.map(({ path, slot }) => [path, values[slot]])).toEqual([
      [[], '7'],
      [['r'], '3'],
    ])
    expect(offsets.map(({ slot }) => values[slot])).toEqual(['-4'])
  })

  it.each(['undefined', '', '1.5', '-'])('limit=%s is none', (text) => {
    expect(parse(`limit=${text}`).limits).toEqual([])
  })

  it('a number beyond bigint becomes the nearest bigint', () => {
    expect(parse('limit=99999999999999999999').values).toEqual(['9223372036854775807'])
  })
})

describe('other parameters', () => {
  it('columns and on_conflict are names, each once', () => {
    const { columns, onConflict } = parse('columns=a,"b,c",a&on_conflict=x, y&columns=ignored')
    expect(columns).toEqual(['a', 'b,c'])
    expect(onConflict).toEqual(['x', 'y'])
  })

  it('without = they mean nothing', () => {
    expect(parse('select&id&&=x')).toEqual(parse(''))
  })

  it('a % that is no escape stands for itself', () => {
    expect(parse('id=eq.100%&b=eq.%zz%41').values).toEqual(['100%', '%zzA'])
  })

  it('equal trees with other values have one shape', () => {
    expect(parse('id=eq.5&or=(a.in.(1,2),b.is.null)&limit=3').shape).toBe(
      parse('id=eq.x&or=(a.in.("y"),b.is.null)&limit=9').shape,
    )
  })
})

describe('a refusal says what is wrong and where', () => {
  it.each([
    ['select=data->>--34', 'select parameter', 9, 'unexpected "-" expecting digit'],
    [
      'select=data->>-78xy',
      'select parameter',
      11,
      `unexpected 'x' expecting digit, "->", "::", ".", "," or end of input`,
    ],
    [
      'select=data->(a',
      'select parameter',
      7,
      'unexpected "(" expecting "-", digit or any non reserved character different from: .,>()',
    ],
    ['select=name::', 'select parameter', 7, 'unexpected end of input expecting letter or digit'],
    ['select=*!hint', 'select parameter', 2, `unexpected '!' expecting ")", "," or end of input`],
    ['select=:', 'select parameter', 1, 'unexpected ":" expecting field name (* or [a..z0..9_$])'],
    ['columns=', 'columns parameter', 1, 'unexpected end of input expecting field name (* or [a..z0..9_$])'],
    ['id=0', 'filter', 1, 'unexpected "0" expecting "not" or operator (eq, gt, ...)'],
    ['id=noop.0', 'filter', 1, 'unexpected "o" expecting "not" or operator (eq, gt, ...)'],
    ['id=eq().5', 'filter', 4, 'unexpected ")" expecting operator (eq, gt, ...)'],
    ['id=is().5', 'filter', 3, 'unexpected "(" expecting operator (eq, gt, ...)'],
    ['id=fts().5', 'filter', 5, 'unexpected ")" expecting operator (eq, gt, ...)'],
    ['id=is.nil', 'filter', 5, 'unexpected "i" expecting isVal: (null, not_null, true, false, unknown)'],
    ['id=is.nullx', 'filter', 8, `unexpected 'x' expecting end of input`],
    ['order=id.ac', 'order', 4, 'unexpected "c" expecting "asc", "desc", "nullsfirst" or "nullslast"'],
    ['order=id.descc', 'order', 8, `unexpected 'c' expecting delimiter (.), "," or end of input`],
    ['order=id.asc.nlsfst', 'order', 8, 'unexpected "l" expecting "nullsfirst" or "nullslast"'],
    ['order=id.asc.nullslasttt', 'order', 17, `unexpected 't' expecting "," or end of input`],
    [
      'order=clients(name,id)',
      'order',
      8,
      `unexpected '(' expecting letter, digit, "-", "->>", "->", delimiter (.), "," or end of input`,
    ],
    [
      'or=()',
      'logic tree',
      4,
      'unexpected ")" expecting field name (* or [a..z0..9_$]), negation operator (not) or logic operator (and, or)',
    ],
    ['or=(id.in.1,2,id.eq.3)', 'logic tree', 10, 'unexpected "1" expecting "("'],
    ['or=)(', 'logic tree', 3, 'unexpected ")" expecting "("'],
    ['and=(ord(id.eq.1),id.eq.2)', 'logic tree', 7, 'unexpected "d" expecting "("'],
    ['or=(id.eq.1,not.xor(id.eq.2))', 'logic tree', 16, 'unexpected "x" expecting logic operator (and, or)'],
  ])('%s', (raw, subject, column, details) => {
    const written = raw.slice(raw.indexOf('=') + 1)
    const message = `"failed to parse ${subject} (${written})" (line 1, column ${column})`
    expect(refusalOf(() => parse(raw))).toEqual({ code: 'PGRST100', message, details })
  })

  it.each([
    ['queryLengthMax', `id=eq.${'x'.repeat(100)}`, { queryLengthMax: 99 }],
    ['parametersMax', 'a=eq.1&b=eq.1', { parametersMax: 1 }],
    ['embedDepthMax', 'select=a(b(c()))', { embedDepthMax: 2 }],
    ['logicDepthMax', 'or=(and(or(a.eq.1)))', { logicDepthMax: 2 }],
    ['selectItemsMax', 'select=a,b(c)', { selectItemsMax: 2 }],
    ['filtersMax', 'a=eq.1&or=(b.eq.1,c.eq.1)', { filtersMax: 2 }],
    ['inValuesMax', 'a=in.(1,2,3)', { inValuesMax: 2 }],
  ])('beyond %s it names the limit', (limit, raw, limits) => {
    const refused = refusalOf(() => parseQuery(raw, 'relation', { ...queryLimits, ...limits }))
    expect(refused?.details).toContain(limit)
  })

  it.each(['id=eq.%00', 'id=eq.%ff', 'data->a.b=eq.1'])('%s is not taken', (raw) => {
    expect(refusalOf(() => parse(raw))?.code).toBe('PGRST100')
  })
})

function key(arrow: '->' | '->>', key: string) {
  return { arrow, key, isIndex: false }
}

function index(arrow: '->' | '->>', key: string) {
  return { arrow, key, isIndex: true }
}

function embed(name: string, select: readonly unknown[]) {
  return { kind: 'embed', name, select }
}

function refusalOf(run: () => unknown): { code: string; message: string; details: unknown } | undefined {
  try {
    run()
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    return { code: error.code, message: error.message, details: error.facts.details }
  }
  return undefined
}
