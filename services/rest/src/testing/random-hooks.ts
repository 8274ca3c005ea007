import type { Schema } from './policy-model.ts'
import { junctionName } from './random-schema.ts'
import type { Hook, Source } from './request-model.ts'

/** One way to embed: what the address calls it, and what it means. */
export type FoundHook = { readonly target: string; readonly name: string; readonly hook: Hook; readonly child: Source }

/** Every way in which rows of a source embed others. Each is named with a hint, so that none is ambiguous. */
export function hooksOf(schema: Schema, source: Source): FoundHook[] {
  const table = tableName(schema, source)
  const links = source.kind === 'view' ? [] : schema.links.filter((link) => link.table === table)
  return [
    ...keyHooks(schema, table),
    ...(source.kind === 'view' ? [] : [...selfHooks(schema, table), ...junctionHooks(schema, table)]),
    ...links.map(({ name, target, outer, inner }): FoundHook => ({
      target: name,
      name,
      hook: { kind: 'computed', outer, inner },
      child: { kind: 'table', name: target },
    })),
  ]
}

function tableName(schema: Schema, { kind, name }: Source): string {
  if (kind === 'table') return name
  return [...schema.views, ...schema.functions].find((each) => each.name === name)!.table
}

/** Both ends of foreign keys, where the other end may also be seen through a view. */
function keyHooks(schema: Schema, table: string): FoundHook[] {
  return schema.tables.flatMap((from) =>
    from.keys
      .filter((key) => key.table !== from.name)
      .flatMap(({ table: to, column, constraint, unique }): FoundHook[] => {
        if (from.name === table) {
          return sourcesOver(schema, to).map((child) => ({
            target: `${child.name}!${constraint}`,
            name: child.name,
            hook: { kind: 'one', outer: column, inner: 'id' },
            child,
          }))
        }
        if (to !== table) return []
        return sourcesOver(schema, from.name).map((child) => ({
          target: `${child.name}!${constraint}`,
          name: child.name,
          hook: { kind: unique ? 'one' : 'many', outer: 'id', inner: column },
          child,
        }))
      }),
  )
}

function sourcesOver({ views }: Schema, table: string): Source[] {
  const seen = views.filter((view) => view.table === table).map(({ name }): Source => ({ kind: 'view', name }))
  return [{ kind: 'table', name: table }, ...seen]
}

function selfHooks({ tables }: Schema, table: string): FoundHook[] {
  const key = tables.find(({ name }) => name === table)!.keys.find((each) => each.table === table)
  if (key === undefined) return []
  const child = { kind: 'table', name: table } as const
  return [
    { target: key.column, name: key.column, hook: { kind: 'one', outer: key.column, inner: 'id' }, child },
    { target: `${table}!${key.column}`, name: table, hook: { kind: 'many', outer: 'id', inner: key.column }, child },
  ]
}

function junctionHooks({ tables }: Schema, table: string): FoundHook[] {
  const [one, other] = tables.find(({ name }) => name === junctionName)?.keys ?? []
  if (one === undefined || other === undefined) return []
  const through = (near: typeof one, far: typeof one): FoundHook => ({
    target: `${far.table}!${junctionName}`,
    name: far.table,
    hook: { kind: 'through', junction: junctionName, near: near.column, far: far.column },
    child: { kind: 'table', name: far.table },
  })
  if (one.table === table) return [through(one, other)]
  return other.table === table ? [through(other, one)] : []
}
