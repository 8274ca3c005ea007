import { median } from './measure.ts'
import { copyProject, removeProject, startPando } from './start-pando.ts'

export type StartUpResult = {
  /** An empty folder: a new cluster, the conventions, the project's migration and its 100,000 rows of seed. */
  readonly newMs: number
  /** A folder that has run before. */
  readonly existingMs: number
}

/** How long `pando dev` takes until it says that it is ready; the middle of several starts. */
export async function measureStartUp(rounds: number): Promise<StartUpResult> {
  const fresh: number[] = []
  const existing: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    const project = copyProject()
    fresh.push(await start(project))
    existing.push(await start(project))
    removeProject(project)
  }
  return { newMs: median(fresh), existingMs: median(existing) }
}

async function start(project: string): Promise<number> {
  const pando = await startPando(project)
  await pando.stop()
  return pando.readyMs
}
