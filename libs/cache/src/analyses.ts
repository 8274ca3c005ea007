import type { QualifiedName } from '@pando/catalogue/catalogue'
import type { Database } from '@pando/postgres/database'
import { type Analysis, analyse, type Facts, keptPublication } from './analysis.ts'
import { describeReads } from './statements.ts'

/** The relations that a kind of request reads. The object stands for the kind: it is the same for all of its requests. */
export type Sources = { readonly root: QualifiedName; readonly relations: readonly QualifiedName[] }

/** What is known of kinds of reads, until something about the schema may be another. */
export type Analyses = {
  /** Undefined until it is there. */
  recall(sources: Sources, role: string): Analysis | undefined
  /** Rejects when Postgres cannot be asked. `publications` are those that are read of the log. */
  find(sources: Sources, role: string, publications: readonly string[]): Analysis | Promise<Analysis>
  forget(): void
  /** Counts what may have changed: what was found under an older count is not to be used. */
  readonly generation: number
}

type Roles = Map<string, Analysis | Promise<Analysis>>

export function createAnalyses(database: Pick<Database, 'transaction'>): Analyses {
  let known = new WeakMap<Sources, Roles>()
  let generation = 0

  const load = async ({ root, relations }: Sources, role: string, publications: readonly string[]) => {
    const facts = await database.transaction(async (transaction) => {
      await transaction.query(`select pg_catalog.set_config('search_path', '', true)`)
      const schemas = relations.map(({ schema }) => schema)
      const names = relations.map(({ name }) => name)
      const asked = [role, schemas, names, publications, keptPublication]
      const [row] = await transaction.query<{ facts: string }>(describeReads, asked)
      return JSON.parse(row!.facts) as Facts
    })
    return analyse(root, facts)
  }
  const loadLatest: typeof load = async (sources, role, publications) => {
    for (;;) {
      const asked = generation
      const analysis = await load(sources, role, publications)
      if (asked === generation) return analysis
    }
  }
  return {
    recall: (sources, role) => {
      const found = known.get(sources)?.get(role)
      return found instanceof Promise ? undefined : found
    },
    find: (sources, role, publications) => {
      const roles: Roles = known.get(sources) ?? new Map()
      known.set(sources, roles)
      const found = roles.get(role)
      if (found !== undefined) return found
      const loading = loadLatest(sources, role, publications)
      roles.set(role, loading)
      loading.then(
        (analysis) => roles.set(role, analysis),
        () => roles.delete(role),
      )
      return loading
    },
    forget: () => {
      generation += 1
      known = new WeakMap()
    },
    get generation() {
      return generation
    },
  }
}
