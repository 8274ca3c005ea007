import { type Owner, type Presences, track, untrack } from './presences.ts'

/** Somebody says something new about themselves, in the place of what had the name `before`; or what had a name is gone. */
export type ToldChange =
  | readonly [key: string, ref: string, before: string | null, json: string]
  | readonly [ref: string]

/** Somebody who is there, with what they say about themselves. */
export type ToldPresence = readonly [key: string, ref: string, json: string]

/** The presences that another node has in a topic, as far as it has told, by the names of their states. */
export type ToldPresences = Map<string, Owner>

/** Takes in changes in the order in which they were made. What is known already, or not any more, changes nothing. */
export function takeChanges(presences: Presences, told: ToldPresences, changes: readonly ToldChange[]): void {
  for (const change of changes) {
    if (change.length === 1) takeAway(presences, told, change[0])
    else takeTracked(presences, told, change)
  }
}

/** Takes in everybody who is there; whoever stayed is not touched. */
export function takeState(presences: Presences, told: ToldPresences, all: readonly ToldPresence[]): void {
  const refs = new Set(all.map(([, ref]) => ref))
  for (const ref of told.keys()) if (!refs.has(ref)) takeAway(presences, told, ref)
  for (const [key, ref, json] of all) takeTracked(presences, told, [key, ref, null, json])
}

function takeAway(presences: Presences, told: ToldPresences, ref: string): void {
  const owner = told.get(ref)
  told.delete(ref)
  if (owner !== undefined) untrack(presences, owner)
}

type Tracked = Exclude<ToldChange, readonly [string]>

function takeTracked(presences: Presences, told: ToldPresences, [key, ref, before, json]: Tracked): void {
  if (told.has(ref)) return
  const owner = (before === null ? undefined : told.get(before)) ?? { presence: { key } }
  if (before !== null) told.delete(before)
  told.set(ref, owner)
  track(presences, owner, { ref, json })
}

/** Cuts a list so that no piece is much larger than `charactersMax`; at least one piece, which may be empty. */
export function inPieces<Item>(
  items: readonly Item[],
  charactersOf: (item: Item) => number,
  charactersMax: number,
): readonly (readonly Item[])[] {
  const pieces: Item[][] = [[]]
  let characters = 0
  for (const item of items) {
    const length = charactersOf(item)
    if (pieces.at(-1)!.length > 0 && characters + length > charactersMax) {
      pieces.push([])
      characters = 0
    }
    characters += length
    pieces.at(-1)!.push(item)
  }
  return pieces
}
