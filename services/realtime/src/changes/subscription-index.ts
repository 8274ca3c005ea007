import type { Change, Relation, Values } from '@pando/changes/change'
import type { FilterTest } from './filter-test.ts'
import type { ChangeEvent, ChangeRequest } from './request.ts'

export type ChangeKind = Exclude<ChangeEvent, '*'>
const kinds: readonly ChangeKind[] = ['INSERT', 'UPDATE', 'DELETE']

const kindNames: Readonly<Record<string, ChangeKind>> = { insert: 'INSERT', update: 'UPDATE', delete: 'DELETE' }

/** Undefined for a truncate, which the protocol does not know. */
export const toChangeKind = ({ kind }: Pick<Change, 'kind'>): ChangeKind | undefined => kindNames[kind]

/** What is looked up: a request, and its conditions made ready. */
export type Indexed = { readonly request: ChangeRequest; readonly tests: readonly FilterTest[] }

/** Those of one table (or of all), and of one kind of change. */
type Bucket<T> = {
  readonly unfiltered: Set<T>
  /** By column, then by the text that the column must have. */
  readonly byValue: Map<string, ByValue<T>>
}
type ByValue<T> = { readonly typeOid: number; readonly values: Map<string, Set<T>> }

/**
 * Finds whom a change may concern without looking at all subscriptions: by table, kind of change, and the value of one
 * `eq` or `in` condition. Everybody found still has to pass all conditions.
 */
export type SubscriptionIndex<T extends Indexed> = {
  add(entry: T): void
  remove(entry: T): void
  /** `values` are those that conditions look at, in the relation's order. */
  visit(relation: Relation, kind: ChangeKind, values: Values, found: (entry: T) => void): void
}

export function createSubscriptionIndex<T extends Indexed>(): SubscriptionIndex<T> {
  const buckets = new Map<string, Bucket<T>>()
  return {
    add(entry) {
      for (const name of toBucketNames(entry.request)) {
        const bucket = buckets.get(name) ?? { unfiltered: new Set(), byValue: new Map() }
        buckets.set(name, bucket)
        for (const set of toSets(bucket, entry.tests)) set.add(entry)
      }
    },
    remove(entry) {
      for (const name of toBucketNames(entry.request)) {
        const bucket = buckets.get(name)
        if (bucket !== undefined) removeFrom(bucket, entry)
        if (bucket?.unfiltered.size === 0 && bucket.byValue.size === 0) buckets.delete(name)
      }
    },
    visit(relation, kind, values, found) {
      for (const schema of [relation.schema, '*']) {
        for (const table of [relation.table, '*']) {
          const bucket = buckets.get(toBucketName(kind, schema, table))
          if (bucket !== undefined) visitBucket(bucket, { relation, values, found })
        }
      }
    },
  }
}

/** No identifier has a zero byte. */
const toBucketName = (kind: ChangeKind, schema: string, table: string): string => `${kind}\0${schema}\0${table}`

function toBucketNames({ event, schema, table }: ChangeRequest): readonly string[] {
  return kinds.filter((kind) => event === '*' || event === kind).map((kind) => toBucketName(kind, schema, table))
}

/** Where an entry stands in a bucket: under the values of its first condition that has some, or among the unfiltered. */
function toSets<T>(bucket: Bucket<T>, tests: readonly FilterTest[]): readonly Set<T>[] {
  const test = tests.find(({ column, typeOid, equalTo }) => {
    // One type for each column: after an `alter column … type` both may be there for a while.
    return equalTo !== undefined && (bucket.byValue.get(column)?.typeOid ?? typeOid) === typeOid
  })
  if (test?.equalTo === undefined) return [bucket.unfiltered]
  const { values } = getOrSet(bucket.byValue, test.column, () => ({ typeOid: test.typeOid, values: new Map() }))
  return test.equalTo.map((text) => getOrSet(values, text, () => new Set<T>()))
}

function getOrSet<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function removeFrom<T extends Indexed>(bucket: Bucket<T>, entry: T): void {
  bucket.unfiltered.delete(entry)
  for (const test of entry.tests) {
    const byValue = bucket.byValue.get(test.column)
    for (const text of byValue === undefined ? [] : (test.equalTo ?? [])) {
      const set = byValue?.values.get(text)
      set?.delete(entry)
      if (set?.size === 0) byValue?.values.delete(text)
    }
    if (byValue?.values.size === 0) bucket.byValue.delete(test.column)
  }
}

type Visit<T> = { readonly relation: Relation; readonly values: Values; readonly found: (entry: T) => void }

function visitBucket<T>(bucket: Bucket<T>, { relation, values, found }: Visit<T>): void {
  bucket.unfiltered.forEach(found)
  for (const [name, { typeOid, values: byText }] of bucket.byValue) {
    const at = relation.columns.findIndex((column) => column.name === name)
    // Of a column that is not what it was everybody is told; the conditions sort it out.
    if (relation.columns[at]?.typeOid !== typeOid) for (const set of byText.values()) set.forEach(found)
    else byText.get(values[at] ?? '\0')?.forEach(found)
  }
}
