/** A member of this node, or one of another node. */
export type Owner = { readonly presence: { readonly key: string } }

/** Who is in a channel, by the key that each chose; several may share one. */
export type Presences = {
  readonly byKey: Map<string, Map<Owner, Tracked>>
  /** What changed since members were told last. */
  readonly joins: Map<string, string[]>
  readonly leaves: Map<string, string[]>
  isTelling: boolean
}

/** What a member says about itself: the name of this state, and the JSON object that others get. */
export type Tracked = { readonly ref: string; readonly json: string }

export const newPresences = (): Presences => ({
  byKey: new Map(),
  joins: new Map(),
  leaves: new Map(),
  isTelling: false,
})

/** Puts `tracked` in the place of what the owner said before, if anything. */
export function track(presences: Presences, owner: Owner, tracked: Tracked): void {
  const { key } = owner.presence
  let owners = presences.byKey.get(key)
  if (owners === undefined) presences.byKey.set(key, (owners = new Map()))
  const before = owners.get(owner)
  if (before !== undefined) note(presences.leaves, key, toMeta(before))
  owners.set(owner, tracked)
  note(presences.joins, key, toMeta(tracked, before?.ref))
}

/** Whether there was anything to forget. */
export function untrack(presences: Presences, owner: Owner): boolean {
  const { key } = owner.presence
  const owners = presences.byKey.get(key)
  const before = owners?.get(owner)
  if (owners === undefined || before === undefined) return false
  owners.delete(owner)
  if (owners.size === 0) presences.byKey.delete(key)
  note(presences.leaves, key, toMeta(before))
  return true
}

/** Everybody who is there, as `presence_state` says it. */
export function toStateJson({ byKey }: Presences): string {
  return toJson([...byKey].map(([key, owners]) => [key, [...owners.values()].map((tracked) => toMeta(tracked))]))
}

/** What changed, as `presence_diff` says it; forgets it. */
export function takeDiffJson({ joins, leaves }: Presences): string {
  const json = `{"joins":${toJson([...joins])},"leaves":${toJson([...leaves])}}`
  joins.clear()
  leaves.clear()
  return json
}

function note(changes: Map<string, string[]>, key: string, meta: string): void {
  const metas = changes.get(key)
  if (metas === undefined) changes.set(key, [meta])
  else metas.push(meta)
}

function toMeta({ ref, json }: Tracked, before?: string): string {
  const names = before === undefined ? `"phx_ref":"${ref}"` : `"phx_ref":"${ref}","phx_ref_prev":"${before}"`
  return json === '{}' ? `{${names}}` : `{${names},${json.slice(1)}`
}

const toJson = (metasByKey: readonly (readonly [string, readonly string[]])[]): string =>
  `{${metasByKey.map(([key, metas]) => `${JSON.stringify(key)}:{"metas":[${metas.join(',')}]}`).join(',')}}`
