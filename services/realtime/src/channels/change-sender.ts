import type { Delivery } from '../changes/change-run.ts'
import { type Client, isBehind, sendText, whenDrained } from '../sockets/client.ts'
import { type Backlog, createBacklog } from './backlog.ts'
import type { Member } from './member.ts'
import { missUntilDrained } from './missing.ts'

/** Puts changes of rows on sockets, merged for those that are slow. */
export type ChangeSender = {
  send(member: Member, delivery: Delivery): void
  /** Forgets what waits for a member. */
  forget(member: Member): void
  /** What waits that is not on the socket yet, in bytes. */
  waitingBytes(client: Client): number
}

/** `onMerged` is called for each change that waits. */
export function createChangeSender(onMerged: () => void): ChangeSender {
  const backlogs = new WeakMap<Client, Backlog<Member>>()

  function send(member: Member, delivery: Delivery): void {
    const { client } = member
    if (member.missing?.has('postgres_changes') === true) return
    const backlog = backlogs.get(client)
    if (backlog === undefined && !isBehind(client)) put(member, delivery)
    else if ((backlog ?? begin(client)).add(member, delivery)) onMerged()
    else giveUp(client)
  }

  function begin(client: Client): Backlog<Member> {
    const backlog = createBacklog<Member>(client.queueBytesMax)
    backlogs.set(client, backlog)
    whenDrained(client, () => flush(client, backlog))
    return backlog
  }

  function flush(client: Client, backlog: Backlog<Member>): void {
    for (let next = backlog.take(); next !== undefined; next = backlog.take()) {
      for (const delivery of next.deliveries) put(next.owner, delivery)
      if (isBehind(client)) return whenDrained(client, () => flush(client, backlog))
    }
    backlogs.delete(client)
  }

  /** Too many rows have changed: all that waits is dropped, and who follows them is told when there is room again. */
  function giveUp(client: Client): void {
    const backlog = backlogs.get(client)
    for (const member of backlog?.owners() ?? []) {
      backlog?.forget(member)
      missUntilDrained(member, 'postgres_changes')
    }
  }

  return {
    send,
    forget: (member) => backlogs.get(member.client)?.forget(member),
    waitingBytes: (client) => backlogs.get(client)?.bytes() ?? 0,
  }
}

function put({ client, address }: Member, { ids, dataJson, cursor }: Delivery): void {
  const json = `{"ids":[${ids.join(',')}],"data":${dataJson},"cursor":"${cursor}"}`
  sendText(client, { topic: address, event: 'postgres_changes' }, json)
}
