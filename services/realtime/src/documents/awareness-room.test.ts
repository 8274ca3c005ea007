import { afterEach, expect, test } from 'vitest'
import { applyAwarenessUpdate, Awareness, encodeAwarenessUpdate } from 'y-protocols/awareness'
import { Doc } from 'yjs'
import { type AwarenessRoom, createAwarenessRoom } from './awareness-room.ts'

type Socket = { readonly name: string }
type Node = {
  readonly room: AwarenessRoom<Socket>
  /** What other nodes are to be told. */
  readonly unsaid: Uint8Array[]
}

const open: { destroy(): void }[] = []
afterEach(() => open.splice(0).forEach((each) => each.destroy()))

function newAwareness(): Awareness {
  const awareness = new Awareness(new Doc())
  open.push(awareness)
  return awareness
}

function startNode(): Node {
  const unsaid: Uint8Array[] = []
  const room = createAwarenessRoom<Socket>({
    statesMax: 2,
    tell: () => {},
    tellOthers: (update) => unsaid.push(update),
  })
  open.push({ destroy: () => room.close() })
  return { room, unsaid }
}

/** Somebody's own: the same on every socket that they open. */
function newPhone(name: string): { readonly show: () => Uint8Array; readonly move: () => void } {
  const awareness = newAwareness()
  const move = (): void => awareness.setLocalState({ name, moves: awareness.meta.get(awareness.clientID)!.clock })
  move()
  return { show: () => encodeAwarenessUpdate(awareness, [awareness.clientID]), move }
}

/** What somebody sees who comes to a node. */
function namesIn({ room }: Node): string[] {
  const seen = newAwareness()
  seen.setLocalState(null)
  const all = room.all()
  if (all !== undefined) applyAwarenessUpdate(seen, all, 'node')
  return [...seen.states.values()].map((state) => String(state['name'])).toSorted()
}

function pass(from: Node, name: string, to: readonly Node[]): void {
  for (const update of from.unsaid.splice(0)) for (const { room } of to) room.showOthers(name, update)
}

test('what members of a node show is seen on others, until they leave', () => {
  const [one, other] = [startNode(), startNode()]
  const [ann, annSocket] = [newPhone('ann'), { name: 'ann' }]
  one.room.show(annSocket, ann.show())
  pass(one, 'one', [other])
  expect([namesIn(one), namesIn(other)]).toEqual([['ann'], ['ann']])
  one.room.leave(annSocket)
  pass(one, 'one', [other])
  expect([namesIn(one), namesIn(other)]).toEqual([[], []])
  // Who comes back with the same clock is seen again.
  one.room.show(annSocket, ann.show())
  pass(one, 'one', [other])
  expect(namesIn(other)).toEqual(['ann'])
})

test('a node passes on what its own members show, and nothing that it was told', () => {
  const [one, other] = [startNode(), startNode()]
  one.room.show({ name: 'ann' }, newPhone('ann').show())
  pass(one, 'one', [other])
  expect(other.unsaid).toEqual([])
  expect(other.room.own()).toBeUndefined()
  other.room.show({ name: 'ben' }, newPhone('ben').show())
  const third = startNode()
  third.room.showOthers('other', other.room.own()!)
  expect(namesIn(third)).toEqual(['ben'])
  expect(namesIn(other)).toEqual(['ann', 'ben'])
})

test.each(['before', 'after'])(
  'a phone that comes to another node is seen there when its old socket ends %s that',
  (when) => {
    const [one, other, third] = [startNode(), startNode(), startNode()]
    const [ann, oldSocket, newSocket] = [newPhone('ann'), { name: 'old' }, { name: 'new' }]
    one.room.show(oldSocket, ann.show())
    pass(one, 'one', [other, third])
    const end = (): void => {
      one.room.leave(oldSocket)
      pass(one, 'one', [other, third])
    }
    if (when === 'before') end()
    other.room.show(newSocket, ann.show())
    // The word that the old socket has ended may be the slower one.
    if (when === 'after') one.room.leave(oldSocket)
    const late = one.unsaid.splice(0)
    pass(other, 'other', [one, third])
    for (const update of late) for (const { room } of [other, third]) room.showOthers('one', update)
    for (const node of [one, other, third]) expect(namesIn(node)).toEqual(['ann'])
    ann.move()
    other.room.show(newSocket, ann.show())
    pass(other, 'other', [one, third])
    other.room.leave(newSocket)
    pass(other, 'other', [one, third])
    for (const node of [one, other, third]) expect(namesIn(node)).toEqual([])
  },
)

test('a node that is gone takes its people with it, but not those who have come to another', () => {
  const [one, other, third] = [startNode(), startNode(), startNode()]
  const [ann, ben] = [newPhone('ann'), newPhone('ben')]
  one.room.show({ name: 'ann' }, ann.show())
  one.room.show({ name: 'ben' }, ben.show())
  pass(one, 'one', [other, third])
  other.room.show({ name: 'ann again' }, ann.show())
  pass(other, 'other', [third])
  for (const { room } of [other, third]) room.leave('one')
  expect([namesIn(other), namesIn(third)]).toEqual([['ann'], ['ann']])
})

test('an older word of a node does not undo a newer one', () => {
  const [one, other] = [startNode(), startNode()]
  const ann = newPhone('ann')
  const before = ann.show()
  ann.move()
  one.room.show({ name: 'ann' }, ann.show())
  one.room.showOthers('other', before)
  one.room.leave('other')
  expect(namesIn(one)).toEqual(['ann'])
  expect(namesIn(other)).toEqual([])
})

test('one member shows a few states, and what is no awareness is refused', () => {
  const { room } = startNode()
  const socket = { name: 'crowd' }
  expect([1, 2, 3].map((n) => room.show(socket, newPhone(`phone ${n}`).show()))).toEqual([true, true, false])
  expect(() => room.show(socket, Uint8Array.of(1, 7, 1, 1, 49))).toThrow('a state of awareness is an object or null')
  expect(() => room.showOthers('node', Uint8Array.of(5))).toThrow('Unexpected end of array')
})
