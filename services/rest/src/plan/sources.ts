import type { Sources } from '@pando/cache/analyses'
import type { Reason } from '@pando/cache/analysis'
import type { QualifiedName, Relation } from '@pando/catalogue/catalogue'
import type { Media } from './choose-media.ts'
import type { EmbedPlan, FieldPlan, FilterPlan, Output, ReadPlan } from './read-plan.ts'

/** Which relations a read reads, and why answers to it cannot be kept, as far as its plan tells. */
export type ReadSources = Sources & { readonly hindrance?: Reason }

/** `root` is the relation that the request names. */
export function toSources(root: QualifiedName, read: ReadPlan, { format }: Media): ReadSources {
  const relations = new Map<string, QualifiedName>()
  const uses = new Set<string>()
  if (format.kind !== 'json' && format.kind !== 'csv') uses.add('a media type of the database')
  visit(read, {
    relation: ({ schema, name }) => void relations.set(`${schema}\0${name}`, { schema, name }),
    unknown: (what) => void uses.add(what),
  })
  const [use] = uses
  const hindrance = use === undefined ? undefined : { code: 'function', text: `the request uses ${use}` }
  return { root, relations: [...relations.values()], hindrance }
}

type Visitor = {
  readonly relation: (name: QualifiedName) => void
  /** Something that may look at anything. */
  readonly unknown: (what: string) => void
}

function visit(read: ReadPlan, visitor: Visitor): void {
  const { source, relation, outputs, embeds, filters, order } = read
  if (source.kind === 'relation') visitor.relation(source.name)
  else visitor.unknown('a function that gives rows')
  for (const output of outputs) visitOutput(output, relation, visitor)
  for (const filter of filters) visitFilter(filter, relation, visitor)
  for (const { field, embed } of order) visitField(field, embed === undefined ? relation : embed.read.relation, visitor)
  for (const embed of embeds) visitEmbed(embed, visitor)
}

function visitEmbed({ link, read }: EmbedPlan, visitor: Visitor): void {
  if (link.kind === 'junction') visitor.relation(link.junction)
  visit(read, visitor)
}

function visitOutput({ value, aggregate }: Output, relation: Relation | undefined, visitor: Visitor): void {
  if (value.kind === 'field') visitField(value.field, relation, visitor)
  const casts = [aggregate?.cast, value.kind === 'field' ? value.cast : undefined]
  for (const cast of casts) if (cast !== undefined && !plainTypes.has(cast)) visitor.unknown(`a cast to ${cast}`)
}

function visitFilter(filter: FilterPlan, relation: Relation | undefined, visitor: Visitor): void {
  if (filter.kind === 'condition') visitField(filter.field, relation, visitor)
  // That embedded rows exist is asked of an embed, which is visited as such.
  else if (filter.kind !== 'exists') for (const child of filter.children) visitFilter(child, relation, visitor)
}

/** For Postgres `row.name` may be a function of the row, too: a name that is no column is not looked through. */
function visitField(field: FieldPlan, relation: Relation | undefined, visitor: Visitor): void {
  const { name, computed, toJson, fromText } = field
  const routine = computed ?? toJson ?? fromText
  if (routine !== undefined) visitor.unknown(`the function ${routine.schema}.${routine.name} for ${name}`)
  else if (relation?.columns.has(name) !== true) visitor.unknown(`${name}, which is no column`)
}

/** A cast to another type may ask a function of the database, or the time: `today` is a date. */
const plainTypes: ReadonlySet<string> = new Set(
  'text varchar int2 int4 int8 smallint integer int bigint float4 float8 real numeric decimal bool boolean json jsonb uuid'.split(
    ' ',
  ),
)
