import { nameKey } from './catalogue.ts'
import type { Catalogue, QualifiedName } from './catalogue.ts'
import { createFuzzySet } from './fuzzy-set.ts'
import type { FuzzySet } from './fuzzy-set.ts'

/**
 * "Perhaps you meant": the likeliest names for one that is not in the catalogue. Nothing is suggested for a name that
 * is a wild guess, so that the names of a schema cannot be found out this way.
 */
const nameSimilarityMin = 0.75

/** Parameters and relationships belong to something that the caller already named. */
const detailSimilarityMin = 0.33

/** In a schema with this many relations no index is built. */
const indexedRelationsMax = 500

/** Names longer than this are not compared: the cost of a comparison is the product of both lengths. */
const suggestedTextMax = 1000

/** The name of the relation of the schema that is most like this one. */
export function suggestRelation(catalogue: Catalogue, schema: string, name: string): string | undefined {
  return find(
    indexOf(catalogue, `relations ${schema}`, () => relationNames(catalogue, schema)),
    name,
    nameSimilarityMin,
  )
}

/** The name of the function of the schema that is most like this one. */
export function suggestRoutine(catalogue: Catalogue, schema: string, name: string): string | undefined {
  const names = () => namesIn(schema, [...catalogue.routines.values()].flat())
  return find(indexOf(catalogue, `routines ${schema}`, names), name, nameSimilarityMin)
}

/**
 * The parameter list of the overload whose parameters are most like these, as text: `(a, b)`, in alphabetical order.
 */
export function suggestParameters(
  catalogue: Catalogue,
  routine: QualifiedName,
  parameters: readonly string[],
): string | undefined {
  const overloads = catalogue.routines.get(nameKey(routine)) ?? []
  const lists = overloads.map((overload) => parameterList(overload.parameters.map(({ name }) => name)))
  return find(createFuzzySet(lists), parameterList(parameters), detailSimilarityMin)
}

const parameterList = (names: readonly string[]): string => `(${names.toSorted().join(', ')})`

/**
 * What to write for a relationship that was not found: another parent if this one has no relationships at all, else
 * another child; nothing when both are right and only the hint between them is wrong.
 */
export function suggestRelationship(
  catalogue: Catalogue,
  parent: QualifiedName,
  child: string,
): { readonly instead: 'parent' | 'child'; readonly name: string } | undefined {
  const relationships = catalogue.relationships.get(nameKey(parent))
  if (relationships === undefined) {
    const name = find(createFuzzySet(originNames(catalogue, parent.schema)), parent.name, detailSimilarityMin)
    return name === undefined ? undefined : { instead: 'parent', name }
  }
  const targets = createFuzzySet(relationships.map(({ to }) => to.name))
  const found = child.length > suggestedTextMax ? undefined : targets.find(child, detailSimilarityMin)
  return found === undefined || found.similarity === 1 ? undefined : { instead: 'child', name: found.member }
}

function find(set: FuzzySet, text: string, similarityMin: number): string | undefined {
  return text.length > suggestedTextMax ? undefined : set.find(text, similarityMin)?.member
}

function relationNames(catalogue: Catalogue, schema: string): string[] {
  const names = namesIn(schema, catalogue.relations.values())
  return names.length < indexedRelationsMax ? names : []
}

function originNames(catalogue: Catalogue, schema: string): string[] {
  return namesIn(
    schema,
    [...catalogue.relationships.values()].flatMap(([first]) => first?.from ?? []),
  )
}

function namesIn(schema: string, names: Iterable<QualifiedName>): string[] {
  return [...names].flatMap((one) => (one.schema === schema ? [one.name] : []))
}

const indexes = new WeakMap<Catalogue, Map<string, FuzzySet>>()

/** An index is made when it is first needed, and lives as long as its catalogue. */
function indexOf(catalogue: Catalogue, key: string, members: () => string[]): FuzzySet {
  const own = indexes.get(catalogue) ?? new Map<string, FuzzySet>()
  indexes.set(catalogue, own)
  const index = own.get(key) ?? createFuzzySet(members())
  own.set(key, index)
  return index
}
