import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long the processors are watched, and how much of them the rest of the machine may use for a round to begin. */
const watchMs = 400
const busyMax = 0.08

/**
 * Waits until nothing else works on this machine, at most `waitMsMax`: then a round is measured as it is, and its report says
 * how busy the machine was. Resolves to the busy share of the processors, 0 to 1.
 */
export async function waitForCalm(waitMsMax: number): Promise<number> {
  const giveUpAt = performance.now() + waitMsMax
  for (;;) {
    const busy = await readBusyShare()
    if (busy <= busyMax || performance.now() >= giveUpAt) return busy
  }
}

async function readBusyShare(): Promise<number> {
  const before = readTimes()
  await sleep(watchMs)
  const after = readTimes()
  return 1 - (after.idle - before.idle) / (after.all - before.all)
}

function readTimes(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times)
  const sum = (of: (time: (typeof times)[number]) => number): number =>
    times.reduce((total, time) => total + of(time), 0)
  return { idle: sum(({ idle }) => idle), all: sum(({ user, nice, sys, idle, irq }) => user + nice + sys + idle + irq) }
}
