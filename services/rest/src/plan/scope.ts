import type { Catalogue, QualifiedName, Relation } from '@pando/catalogue/catalogue'
import { nameKey } from '@pando/catalogue/catalogue'
import type { Slot } from '../request/query.ts'
import type { RestConfig } from '../rest-config.ts'

/** What planning one statement shares. */
export type Scope = {
  /** The schema of the request: what is embedded must be in it. */
  readonly schema: string
  readonly catalogue: Catalogue
  readonly config: RestConfig
  readonly shardKeySlot?: Slot
  /** Gives an alias that nothing else in the statement has, close to the wanted name. */
  readonly alias: (wanted: string) => string
}

export type Context = { readonly catalogue: Catalogue; readonly config: RestConfig }

export function createScope(context: Context, schema: string, shardKeySlot?: Slot): Scope {
  const taken = new Set<string>()
  return { ...context, schema, shardKeySlot, alias: (wanted) => takeAlias(taken, wanted) }
}

/** Postgres cuts identifiers at 63 bytes; two aliases must not become equal by that. */
const aliasCharactersMax = 12
const identifierBytesMax = 63

function takeAlias(taken: Set<string>, wanted: string): string {
  const base = Buffer.byteLength(wanted) > identifierBytesMax - 4 ? wanted.slice(0, aliasCharactersMax) : wanted
  let alias = base
  for (let n = 1; taken.has(alias); n += 1) alias = `${base}_${n}`
  taken.add(alias)
  return alias
}

/** What Citus refuses is written in another way wherever it is: a table of the coordinator may be moved at any time. */
export const isOnCitus = ({ catalogue }: Pick<Scope, 'catalogue'>): boolean => catalogue.shardKeys !== undefined

export function isView(scope: Scope, name: QualifiedName): boolean {
  const kind = findRelation(scope, name)?.kind
  return kind === 'view' || kind === 'materialized view'
}

export function findRelation(scope: Scope, name: QualifiedName): Relation | undefined {
  return scope.catalogue.relations.get(nameKey(name))
}
