import { firstName } from './chat-view.ts'
import { html } from './elements.ts'
import type { Person } from './trip.ts'

export type PeopleView = {
  readonly element: HTMLElement
  showOnline(personIds: ReadonlySet<string>): void
  /** Where somebody is, in words. */
  showWhere(person: Person, text: string): void
}

/** Everybody on a trip: whether they are online, and where they are. */
export function createPeopleView(
  { people, me }: { readonly people: readonly Person[]; readonly me: Person },
  colourOf: (person: Person) => string,
): PeopleView {
  const rows = new Map(people.map((person) => [person.id, toRow(person, colourOf(person), person.id === me.id)]))

  return {
    element: html(
      'ul',
      { class: 'people', 'aria-label': 'Who is on this trip' },
      ...[...rows.values()].map((row) => row.item),
    ),
    showOnline: (personIds) => {
      for (const [id, { item, state }] of rows) {
        item.classList.toggle('online', personIds.has(id))
        state.textContent = personIds.has(id) ? 'online' : 'offline'
      }
    },
    showWhere: ({ id }, text) => {
      const row = rows.get(id)
      if (row !== undefined) row.where.textContent = text
    },
  }
}

function toRow(person: Person, colour: string, isMe: boolean) {
  const state = html('small', { class: 'state' }, 'offline')
  const where = html('small', { class: 'where' })
  const name = html('span', { class: 'name' }, isMe ? `${firstName(person)} (you)` : firstName(person))
  const avatar = html('span', { class: 'avatar', 'aria-hidden': 'true' }, person.name.slice(0, 1))
  return { item: html('li', { style: `--person: ${colour}` }, avatar, name, state, where), state, where }
}
