import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'

/** A process that reads the log, to be killed. Fulfils as soon as it reads. */
export async function startReaderProcess(where: { readonly url: string; readonly redisUrl: string | null }) {
  const program = path.join(import.meta.dirname, 'reader-process.ts')
  const reader = spawn(process.execPath, [program, JSON.stringify(where)], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [state] = (await Promise.race([once(reader.stdout, 'data'), once(reader, 'exit')])) as [unknown]
  if (String(state).trim() !== 'reading') throw new Error(`the process that was to read is at "${state}"`)
  return {
    kill: async (): Promise<void> => {
      const exited = once(reader, 'exit')
      reader.kill('SIGKILL')
      await exited
    },
  }
}
