import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '@pando/core/refusal'
import { parseQuery } from './parse-query.ts'
import { drawnQuery, toModel } from './testing/query-models.ts'

/** The tree without what is not structure. */
function structure(raw: string): unknown {
  const { shape: _shape, values: _values, ...tree } = parseQuery(raw, 'relation')
  return tree
}

describe('any query', () => {
  it('comes back from its printed form as the tree it was', () => {
    fc.assert(
      fc.property(drawnQuery, (drawn) => {
        const { raw, tree } = toModel(drawn)
        const { shape: _shape, ...parsed } = parseQuery(raw, 'relation')
        expect(parsed).toEqual(tree)
      }),
      { numRuns: 1000 },
    )
  })

  it('keeps its shape when only values change', () => {
    fc.assert(
      fc.property(drawnQuery, (drawn) => {
        const other = toModel(drawn, (value) => `${value}'other`)
        expect(parseQuery(other.raw, 'relation').shape).toBe(parseQuery(toModel(drawn).raw, 'relation').shape)
      }),
      { numRuns: 300 },
    )
  })

  it('has another shape than every query with another tree', () => {
    const trees = new Map<string, unknown>()
    fc.assert(
      fc.property(drawnQuery, (drawn) => {
        const { raw } = toModel(drawn)
        const { shape } = parseQuery(raw, 'relation')
        const tree = structure(raw)
        expect(tree).toEqual(trees.get(shape) ?? tree)
        trees.set(shape, tree)
      }),
      { numRuns: 1000 },
    )
    expect(trees.size).toBeGreaterThan(100)
  })

  it('means the same in a damaged form that still has its shape', () => {
    const damage = fc.record({
      at: fc.nat(),
      drop: fc.nat(2),
      put: fc.constantFrom('', '(', ')', ',', '.', '"', 'a', '5'),
    })
    fc.assert(
      fc.property(drawnQuery, damage, (drawn, { at, drop, put }) => {
        const raw = decodeURIComponentOutsideMarks(toModel(drawn).raw)
        const place = at % (raw.length + 1)
        const damaged = raw.slice(0, place) + put + raw.slice(place + drop)
        fc.pre(attempt(damaged)?.shape === parseQuery(raw, 'relation').shape)
        expect(structure(damaged)).toEqual(structure(raw))
      }),
      { numRuns: 300, maxSkipsPerRun: 200 },
    )
  })
})

describe('garbage', () => {
  const words = 'select order limit or and not id eq in is fts count() -> ->> :: ... %22 %00 %e9'.split(' ')
  const marks = [...'=&(),."\\!:*{}%+- 0é']
  const pieces = fc.array(fc.constantFrom(...words, ...marks), { maxLength: 40 }).map((all) => all.join(''))
  const garbage = fc.oneof(pieces, fc.string({ unit: 'binary', maxLength: 60 }))
  const target = fc.constantFrom('relation' as const, 'routine' as const, 'routine-get' as const)

  it('is either understood or refused with PGRST100', () => {
    const answers = new Set<string>()
    fc.assert(
      fc.property(garbage, target, (raw, target) => {
        const refused = refusalOf(() => parseQuery(raw, target))
        answers.add(refused === undefined ? 'understood' : `${refused.status} ${refused.code}`)
      }),
      { numRuns: 20_000 },
    )
    expect([...answers].sort()).toEqual(['400 PGRST100', 'understood'])
  })
})

function attempt(raw: string): { shape: string } | undefined {
  let parsed: { shape: string } | undefined
  const refused = refusalOf(() => (parsed = parseQuery(raw, 'relation')))
  return refused === undefined ? parsed : undefined
}

function refusalOf(run: () => unknown): Refusal | undefined {
  try {
    run()
  } catch (error) {
    if (error instanceof Refusal) return error
    throw error
  }
  return undefined
}

/** Readable again, so that damage hits structure; what separates parameters stays encoded. */
function decodeURIComponentOutsideMarks(raw: string): string {
  return raw.replace(/%(?!25|26|3D|2B)[2-7][0-9A-F]/g, (escape) => decodeURIComponent(escape))
}
