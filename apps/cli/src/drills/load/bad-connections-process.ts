// Phones that behave badly, in a process of their own: it has files to open for them, and does not slow the load.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import type { BadPhones, BadPhonesReport } from './bad-connections.ts'

const begun = 'GET /rest/v1/drill_notes HTTP/1.1\r\nhost: drill\r\nx-drill: '
/** How often a letter follows, and how long a phone rests that was turned away. */
const pauseMs = 1_000
/** So many dial at once. */
const lanes = 32

const open = new Set<Socket>()
const trickling = new Set<Socket>()
let haveAllCome = false

/** Fulfils when it is connected, or was turned away; comes back whenever it is closed. */
async function dial(phones: BadPhones, isTrickling: boolean): Promise<void> {
  const socket = connect(phones.port, phones.hostname)
  socket.on('error', () => undefined).resume()
  socket.once('close', () => {
    open.delete(socket)
    trickling.delete(socket)
    void sleep(pauseMs).then(() => dial(phones, isTrickling))
  })
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  if (!isOpen) return
  open.add(socket)
  if (!isTrickling) return
  trickling.add(socket)
  socket.write(begun)
}

async function come(phones: BadPhones): Promise<void> {
  let left = phones.idle + phones.trickling
  const lane = async (): Promise<void> => {
    while (left > 0) await dial(phones, (left -= 1) < phones.trickling)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  haveAllCome = true
  report()
}

function report(): void {
  process.send!({ open: open.size, haveAllCome } satisfies BadPhonesReport)
}

process.on('disconnect', () => process.exit())
process.once('message', (phones: BadPhones) => void come(phones))
setInterval(() => {
  for (const socket of trickling) if (socket.writable) socket.write('x')
  report()
}, pauseMs)
