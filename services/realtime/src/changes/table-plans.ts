import type { Relation } from '@pando/changes/change'
import type { Cursor } from '@pando/changes/cursor'
import type { Caller } from '@pando/core/caller'
import type { ChangesPort } from './deps.ts'
import { type ChangeEncoder, createChangeEncoder } from './encode-change.ts'
import type { TableFacts } from './facts.ts'
import { compilePolicies, type ParsedPolicy, type Predicate } from './policies/compile.ts'
import { type Dependencies, toDependencies } from '@pando/catalogue/policies/dependencies'
import { parseExpressions } from '@pando/catalogue/policies/syntax'
import { type ClaimsGroup, createGrouping } from './policies/grouping.ts'

/** How rows of a table are shown to one role: all, none, or those that policies let a caller see. */
export type Visibility =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | {
      readonly kind: 'policies'
      /** Undefined when only Postgres can tell. */
      readonly predicate: Predicate | undefined
      /** Columns that policies look at. */
      readonly columns: readonly string[]
    }

/** What is known of one table for one role, made ready. */
export type TablePlan = {
  readonly facts: TableFacts
  readonly visibility: Visibility
  /** All columns of the primary key may be selected. */
  readonly isKeySelectable: boolean
  readonly selectable: ReadonlySet<string>
  groupOf(caller: Caller): ClaimsGroup
  encoderFor(select: readonly string[] | undefined): ChangeEncoder
}

/** Plans are thrown away together when more than these are kept. */
const plansMax = 2000

export type TablePlans = {
  /** Undefined for a table that is gone, or whose name another one has by now. Rejects when Postgres cannot be asked. */
  find(relation: Relation, role: string): TablePlan | undefined | Promise<TablePlan | undefined>
  /**
   * A change of the table has come. The log describes a table first, and anew after anything about it, its policies, privileges
   * or schema was changed: then its plans are made anew, and the answer is true. `xid` is the change's transaction.
   */
  meet(relation: Relation, xid?: number): boolean
  /** Counts how often something may have changed; what was decided under an older count is decided anew. */
  generation(): number
  /** Policies, privileges or tables may have changed; `xid` is the transaction that did it, where that is known. */
  forget(xid?: number): void
  /** The log is another one: what it told of transactions says nothing any more. */
  restart(): void
}

/** Who changed a table this many changes ago has long been seen by all. */
const unseenMax = 100

export function createTablePlans(port: Pick<ChangesPort, 'findTable' | 'mustSee'>): TablePlans {
  type Kept = { readonly relation: Relation; plan: TablePlan | undefined | Promise<TablePlan | undefined> }
  let kept = new Map<string, Kept>()
  /** Of each table that changes have come of, where it was described last. */
  const described = new Map<number, Cursor>()
  /** Transactions of which the log tells that a table is another one: Postgres may not show that to others yet. */
  const unseen = new Set<number>()
  let generation = 0

  const noteUnseen = (xid: number | undefined): void => {
    if (xid !== undefined) unseen.add(xid)
    for (const oldest of unseen) if (unseen.size > unseenMax) unseen.delete(oldest)
  }
  const forget = (xid?: number): void => {
    noteUnseen(xid)
    generation += 1
    kept = new Map()
  }
  const untilSeen = async (): Promise<void> => {
    const xids = [...unseen]
    if (xids.length > 0) await port.mustSee(unseen)
    for (const xid of xids) unseen.delete(xid)
  }
  const load = async (relation: Relation, role: string): Promise<TablePlan | undefined> => {
    for (;;) {
      const asked = generation
      await untilSeen()
      const facts = await port.findTable(relation.schema, relation.table, role)
      const plan = facts?.oid === relation.oid ? await createTablePlan(facts, relation) : undefined
      // What was read before a revoke must not decide what was written after it.
      if (asked === generation) return plan
    }
  }
  return {
    find(relation, role) {
      const name = `${relation.oid}/${role}`
      const known = kept.get(name)
      if (known !== undefined && isSame(known.relation, relation)) return known.plan
      if (kept.size >= plansMax) kept = new Map()
      const made: Kept = { relation, plan: load(relation, role) }
      const settle = (plan: TablePlan | undefined): void => void (made.plan = plan)
      const drop = (): void => void (kept.get(name) === made && kept.delete(name))
      Promise.resolve(made.plan).then(settle, drop)
      kept.set(name, made)
      return made.plan
    },
    meet({ oid, describedAt }, xid) {
      if (described.get(oid) === describedAt) return false
      described.set(oid, describedAt)
      noteUnseen(xid)
      generation += 1
      for (const [name, { relation }] of kept) if (relation.oid === oid) kept.delete(name)
      return true
    },
    generation: () => generation,
    forget,
    restart() {
      unseen.clear()
      described.clear()
      forget()
    },
  }
}

function isSame(left: Relation, right: Relation): boolean {
  if (left === right) return true
  const { columns } = left
  return (
    left.schema === right.schema &&
    left.table === right.table &&
    left.replicaIdentity === right.replicaIdentity &&
    columns.length === right.columns.length &&
    columns.every(({ name, typeOid, isKey }, at) => {
      const other = right.columns[at]!
      return name === other.name && typeOid === other.typeOid && isKey === other.isKey
    })
  )
}

async function createTablePlan(facts: TableFacts, relation: Relation): Promise<TablePlan> {
  const policies = facts.policiesApply ? await parsePolicies(facts) : []
  const dependencies = toDependencies(
    policies.map(({ expression }) => expression),
    facts,
  )
  const selectable = new Set(facts.columns.filter((column) => column.selectable).map(({ name }) => name))
  const encoders = new Map<string, ChangeEncoder>()
  return {
    facts,
    visibility:
      facts.isPublished && facts.isUsable && selectable.size > 0
        ? toVisibility({ facts, relation, policies, dependencies })
        : { kind: 'none' },
    isKeySelectable: facts.key.every((name) => selectable.has(name)),
    selectable,
    groupOf: createGrouping(dependencies),
    encoderFor(select) {
      const name = select === undefined ? '' : JSON.stringify(select)
      const encoder = encoders.get(name) ?? createChangeEncoder(facts, relation, select)
      encoders.set(name, encoder)
      return encoder
    },
  }
}

async function parsePolicies({ policies }: TableFacts): Promise<readonly ParsedPolicy[]> {
  const expressions = await parseExpressions(policies.map(({ using }) => using))
  return policies.map((policy, at) => ({ ...policy, expression: expressions[at] }))
}

type Parsed = {
  readonly facts: TableFacts
  readonly relation: Relation
  readonly policies: readonly ParsedPolicy[]
  readonly dependencies: Dependencies
}

function toVisibility({ facts, relation, policies, dependencies }: Parsed): Visibility {
  if (!facts.policiesApply) return { kind: 'all' }
  if (!policies.some(({ isPermissive }) => isPermissive)) return { kind: 'none' }
  return {
    kind: 'policies',
    predicate: compilePolicies(policies, facts, relation),
    columns: toCompared(facts, dependencies),
  }
}

/** A generated column is not in the log: what it is made of, which may be any other column, stands for it. */
function toCompared({ columns }: TableFacts, { columns: used }: Dependencies): readonly string[] {
  const written = columns.filter(({ isGenerated }) => !isGenerated).map(({ name }) => name)
  return used === 'all' || !used.isSubsetOf(new Set(written)) ? written : [...used]
}
