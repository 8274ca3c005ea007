import { KindLimit } from './kind-limit.ts'
import { Profile } from './profile.ts'

/** One like it counts this much: of a kind that is quick three in a row have to be slow for it to be a slow one. */
const novelty = 0.25

/** Requests that are alike: a method and a table, a function or an endpoint. */
export class Kind {
  /** In the lane of the quick, and in that of the slow; what they compete for is not the same. */
  readonly profiles = { quick: new Profile(), slow: new Profile() } as const
  readonly limits = { quick: new KindLimit(), slow: new KindLimit() } as const
  #shareSlow = 0

  /** Whether most of them take longer than a place may be kept. */
  get isSlow(): boolean {
    return this.#shareSlow > 0.5
  }

  tell(wasSlow: boolean): void {
    this.#shareSlow += novelty * (Number(wasSlow) - this.#shareSlow)
  }
}

export type Kinds = {
  /** The kind of this name, made when it is first asked for. */
  of(name: string): Kind
  readonly size: number
}

/** Kinds by name; when there are `kindsMax` of them, all further ones share one. */
export function createKinds(kindsMax: number): Kinds {
  const kinds = new Map<string, Kind>()
  const others = new Kind()
  return {
    of(name) {
      let kind = kinds.get(name)
      if (kind === undefined) {
        if (kinds.size >= kindsMax) return others
        kinds.set(name, (kind = new Kind()))
      }
      return kind
    },
    get size() {
      return kinds.size
    },
  }
}
