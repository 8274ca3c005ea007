import { toClaimFunctions } from '@pando/catalogue/policies/claim-functions'
import { type Dependencies, toDependencies } from '@pando/catalogue/policies/dependencies'
import { parseExpressions } from '@pando/catalogue/policies/syntax'
import type { QualifiedName } from '@pando/catalogue/catalogue'
import { parseSnapshot, type Snapshot } from './snapshot.ts'

/** The publication whose tables are kept. */
export const keptPublication = 'pando_cache'

/** Why an answer is not kept: a word for machines, a sentence for people. */
export type Reason = { readonly code: string; readonly text: string }

/** What is known of a kind of read under one role. */
export type Analysis =
  /** Its first table is none of those that are kept. */
  { readonly kind: 'unwanted' } | { readonly kind: 'hindered'; readonly reason: Reason } | Readable

export type Readable = {
  readonly kind: 'readable'
  /** Claims that the policies of everything that is read look at. */
  readonly claims: ReadonlySet<string> | 'all'
  /** Oids under which the log tells of changes of what is read. */
  readonly tables: readonly number[]
  /** Everything that is read, as an array of Postgres; see `stamp`. */
  readonly oids: string
  /** Another one when other callers may see other rows. */
  readonly stamp: string
  /** As of which the rest is known. */
  readonly schema: Snapshot
}

export type RelationFacts = {
  readonly oid: number
  readonly schema: string
  readonly name: string
  readonly kind: string
  /** Itself, and what it is a partition of. */
  readonly toldAs: readonly number[]
  readonly isTold: boolean
  readonly isKept: boolean
  readonly columns: readonly string[]
  /** Conditions of the policies that concern the role. */
  readonly policies: readonly string[]
}

export type Facts = {
  readonly snapshot: string
  readonly stamp: string
  readonly relations: readonly RelationFacts[]
  readonly claimSources: Readonly<Record<string, string>>
}

/** Decides whether, and for whom in common, answers to reads that begin at `root` can be kept. */
export async function analyse(root: QualifiedName, facts: Facts): Promise<Analysis> {
  const { relations, stamp, snapshot } = facts
  const first = relations.find(({ schema, name }) => schema === root.schema && name === root.name)
  if (first?.isKept !== true) return { kind: 'unwanted' }
  const claimFunctions = toClaimFunctions(facts.claimSources)
  const claims = new Set<string>()
  let looksAtAll = false
  for (const relation of relations) {
    const scope = { columns: relation.columns.map((name) => ({ name })), readsGuarded: false, claimFunctions }
    const found = toDependencies(await parseExpressions(relation.policies), scope)
    const reason = toReason(relation, found)
    if (reason !== undefined) return { kind: 'hindered', reason }
    if (found.claims === 'all') looksAtAll = true
    else for (const claim of found.claims) claims.add(claim)
  }
  return {
    kind: 'readable',
    claims: looksAtAll ? 'all' : claims,
    tables: [...new Set(relations.flatMap(({ toldAs }) => toldAs))],
    oids: `{${relations.map(({ oid }) => oid).join()}}`,
    stamp,
    schema: mustParse(snapshot),
  }
}

function toReason({ schema, name, kind, isTold }: RelationFacts, found: Dependencies): Reason | undefined {
  const table = `${schema}.${name}`
  if (kind !== 'r' && kind !== 'p') {
    return { code: 'no_table', text: `${table} is read, which is no table: the log of changes does not tell of it` }
  }
  // A partitioned table has no rows of its own.
  if (kind === 'r' && !isTold) {
    const text = `${table} is read, and its changes are not told: alter publication ${keptPublication} add table ${table}`
    return { code: 'not_published', text }
  }
  if (found.opaque !== undefined) {
    return { code: 'policy', text: `a policy of ${table} uses ${found.opaque}, which may look at anything` }
  }
  return found.asksTime ? { code: 'time', text: `a policy of ${table} asks for the time` } : undefined
}

function mustParse(text: string): Snapshot {
  const snapshot = parseSnapshot(text)
  if (snapshot === undefined) throw new Error(`Postgres named its snapshot in an unknown form: ${text}`)
  return snapshot
}
