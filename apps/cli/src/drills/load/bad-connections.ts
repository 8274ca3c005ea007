import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a process of bad phones is told, once. */
export type BadPhones = {
  readonly hostname: string
  readonly port: number
  /** So many connect and say nothing. */
  readonly idle: number
  /** So many begin a request, go on by a letter a second, and never end it. */
  readonly trickling: number
}

/** What it says, each second and when everybody has connected once. */
export type BadPhonesReport = { readonly open: number; readonly haveAllCome: boolean }

/** Connections of other processes than this, which come back whenever they are closed. */
export type BadConnections = {
  /** How many there are, as of the last second. */
  countOpen(): number
  close(): void
}

/** A process has some files open besides. */
export const perProcessMax = 4_000

const file = fileURLToPath(new URL('./bad-connections-process.ts', import.meta.url))

/** Returns when everybody has connected once. */
export async function openBadConnections({ idle, trickling, ...address }: BadPhones): Promise<BadConnections> {
  const count = Math.ceil((idle + trickling) / perProcessMax)
  const share = (all: number, at: number): number => Math.floor((all + at) / count)
  const processes = Array.from({ length: count }, (_, at) =>
    startProcess({ ...address, idle: share(idle, at), trickling: share(trickling, at) }),
  )
  const close = (): void => processes.forEach(({ child }) => child.kill('SIGKILL'))
  try {
    await Promise.all(processes.map(({ allHaveCome }) => allHaveCome))
  } catch (error) {
    close()
    throw error
  }
  return { close, countOpen: () => processes.reduce((sum, { countOpen }) => sum + countOpen(), 0) }
}

type PhonesProcess = {
  readonly child: ChildProcess
  readonly allHaveCome: Promise<void>
  readonly countOpen: () => number
}

function startProcess(phones: BadPhones): PhonesProcess {
  const child = fork(file, { execArgv: [] })
  const { promise: allHaveCome, resolve } = Promise.withResolvers<void>()
  let open = 0
  child.on('message', (report: BadPhonesReport) => {
    open = report.open
    if (report.haveAllCome) resolve()
  })
  child.send(phones)
  const ended = once(child, 'exit').then(() => {
    throw new Error('A process of the bad phones ended by itself')
  })
  ended.catch(() => undefined)
  return { child, allHaveCome: Promise.race([allHaveCome, ended]), countOpen: () => open }
}
