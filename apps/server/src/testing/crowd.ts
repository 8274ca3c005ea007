import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import type { Follower } from './follower.ts'

/** A client: writes its own numbers into a room and follows all numbers of it. */
export type ClientPlan = {
  readonly writer: number
  readonly room: number
  /** The table of the room. */
  readonly writesTo: string
  /** The table whose rows it follows, or the messages that the database sends with each. */
  readonly hears: string
}

export type ClientReport = Pick<ClientPlan, 'room' | 'hears'> &
  Pick<Follower, 'got' | 'again' | 'resyncs'> & { readonly connections: number }

/** What a process of clients is asked; each is answered once. */
export type CrowdTask =
  | {
      readonly kind: 'come'
      readonly plans: readonly ClientPlan[]
      readonly url: string
      readonly apikey: string
      /** How long each rests between two writes, on average. */
      readonly writePauseMs: number
    }
  /** The API is elsewhere from now on. */
  | { readonly kind: 'move'; readonly url: string }
  /** How many have fewer than so many numbers, by room. */
  | { readonly kind: 'behind'; readonly counts: Readonly<Record<number, number>> }
  | { readonly kind: 'silence' }
  | { readonly kind: 'leave' }

export type CrowdAnswers = {
  readonly come: object
  readonly move: object
  readonly behind: { readonly behind: number }
  readonly silence: object
  readonly leave: { readonly reports: readonly ClientReport[] }
}

type Arrival = Omit<Extract<CrowdTask, { kind: 'come' }>, 'kind'>

/** Clients in processes of their own, so that those who follow do not slow each other, nor what they follow. */
export type Crowd = {
  move(url: string): Promise<void>
  /** How many have fewer than so many numbers, by room. */
  countBehind(counts: Readonly<Record<number, number>>): Promise<number>
  /** Nobody writes any more. */
  silence(): Promise<void>
  /** Everybody goes, and says what they had. */
  leave(): Promise<readonly ClientReport[]>
  kill(): void
}

/** Fulfils when everybody follows. */
export async function startCrowd(processes: number, { plans, ...arrival }: Arrival): Promise<Crowd> {
  const children = Array.from({ length: processes }, startProcess)
  const askAll = <K extends CrowdTask['kind']>(
    toTask: (index: number) => Extract<CrowdTask, { kind: K }>,
  ): Promise<readonly CrowdAnswers[K][]> =>
    Promise.all(children.map((child, index) => ask<CrowdAnswers[K]>(child, toTask(index))))
  const shareOf = (index: number): readonly ClientPlan[] => plans.filter((_, at) => at % processes === index)
  await askAll<'come'>((index) => ({ kind: 'come', plans: shareOf(index), ...arrival }))
  return {
    move: async (url) => void (await askAll<'move'>(() => ({ kind: 'move', url }))),
    countBehind: async (counts) => {
      const answers = await askAll<'behind'>(() => ({ kind: 'behind', counts }))
      return answers.reduce((sum, { behind }) => sum + behind, 0)
    },
    silence: async () => void (await askAll<'silence'>(() => ({ kind: 'silence' }))),
    leave: async () => (await askAll<'leave'>(() => ({ kind: 'leave' }))).flatMap(({ reports }) => reports),
    kill: () => children.forEach(({ child }) => child.kill('SIGKILL')),
  }
}

/** `ended` rejects when the process does. */
type Process = { readonly child: ChildProcess; readonly ended: Promise<never> }

function startProcess(): Process {
  const child = fork(path.join(import.meta.dirname, 'crowd-process.ts'), { execArgv: [] })
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`a process of clients ended: ${code}`)))
  ended.catch(() => undefined)
  return { child, ended }
}

async function ask<Answer>({ child, ended }: Process, task: CrowdTask): Promise<Answer> {
  child.send(task)
  const [answer] = (await Promise.race([once(child, 'message'), ended])) as [Answer & { error?: string }]
  if (answer.error !== undefined) throw new Error(answer.error)
  return answer
}
