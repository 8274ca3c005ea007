import { html } from './elements.ts'
import type { Person } from './trip.ts'

/** A message as it is shown; without a time it is still on its way. */
export type Said = { readonly id: string; readonly author: Person; readonly body: string; readonly sentAt?: string }

export type ChatView = {
  readonly element: HTMLElement
  show(message: Said): void
  /** Something that nobody said. */
  note(text: string): void
}

type ChatOptions = {
  readonly me: Person
  readonly colourOf: (person: Person) => string
  readonly onSay: (body: string) => void
}

const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })

/** What people say on a trip, and a line to say something in. */
export function createChatView({ me, colourOf, onSay }: ChatOptions): ChatView {
  const list = html('ol', { class: 'log', role: 'log', tabindex: 0, 'aria-label': 'Chat' })
  const field = html('input', {
    name: 'body',
    placeholder: 'Say something',
    'aria-label': 'Say something',
    maxlength: 2000,
    autocomplete: 'off',
    required: true,
  })
  const form = html('form', { class: 'composer' }, field, html('button', { type: 'submit' }, 'Send'))
  const shown = new Map<string, { readonly item: HTMLElement; readonly isSent: boolean }>()

  form.addEventListener('submit', (event) => {
    event.preventDefault()
    const body = field.value.trim()
    if (body !== '') onSay(body)
    field.value = ''
  })

  function toItem({ author, body, sentAt }: Said): HTMLElement {
    const isMine = author.id === me.id
    const when = sentAt === undefined ? 'waiting' : time.format(new Date(sentAt))
    return html(
      'li',
      {
        class: `${isMine ? 'mine' : 'theirs'}${sentAt === undefined ? ' waiting' : ''}`,
        style: `--person: ${colourOf(author)}`,
      },
      html('p', {}, body),
      html('small', {}, isMine ? when : `${firstName(author)} · ${when}`),
    )
  }

  /** In the order of times, whatever came first; what is on its way comes last. */
  function place(item: HTMLElement, atMs: number): void {
    item.dataset['at'] = String(atMs)
    const later = [...list.children].find((other) => Number((other as HTMLElement).dataset['at']) > atMs)
    list.insertBefore(item, later ?? null)
    list.scrollTop = list.scrollHeight
  }

  return {
    element: html('section', { class: 'chat' }, list, form),
    show: (message) => {
      const before = shown.get(message.id)
      if (before?.isSent === true) return
      before?.item.remove()
      const item = toItem(message)
      shown.set(message.id, { item, isSent: message.sentAt !== undefined })
      place(item, message.sentAt === undefined ? Infinity : Date.parse(message.sentAt))
    },
    note: (text) => place(html('li', { class: 'note' }, text), Date.now()),
  }
}

export const firstName = ({ name }: Person): string => name.split(' ')[0]!
