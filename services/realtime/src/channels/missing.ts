import { whenDrained } from '../sockets/client.ts'
import type { Member } from './member.ts'
import { type Extension, tellSystem } from './replies.ts'

/** Whoever is told this has not heard of everything, and fetches again: rows, or messages of the database (`system`). */
export function tellMissing(member: Member, extension: Extension, reason: string): void {
  tellSystem(member, { extension, status: 'error', message: `resync: ${reason}` })
}

/** Somebody who is behind misses what it follows; it is told once, when it has got what waits for it. */
export function missUntilDrained(member: Member, extension: Extension): void {
  const missing = (member.missing ??= new Set())
  if (missing.has(extension)) return
  missing.add(extension)
  whenDrained(member.client, () => {
    missing.delete(extension)
    if (member.topic.members.has(member)) tellMissing(member, extension, 'too_slow')
  })
}
