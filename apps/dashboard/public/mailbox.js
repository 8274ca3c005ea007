import { button, copy, element } from './elements.js'

const $ = (id) => document.getElementById(id)
const refreshMs = 1500
const views = ['Desktop', 'Phone', 'Text']
/** `messages` is undefined until the first answer. */
const state = { messages: undefined, chosen: undefined, view: views[0] }

await refresh()
setInterval(refresh, refreshMs)
$('filter').addEventListener('input', showList)
$('clear').addEventListener('click', async () => {
  await fetch('/mailbox/messages', { method: 'DELETE' })
  await refresh()
})

async function refresh() {
  const answer = await fetch('/mailbox/messages').catch(() => undefined)
  if (!answer?.ok) return
  const messages = await answer.json()
  if (messages.length === state.messages?.length && messages[0]?.id === state.messages[0]?.id) return showTimes()
  state.messages = messages
  if (!messages.some(({ id }) => id === state.chosen?.id)) choose(messages[0])
  else showList()
}

function choose(message) {
  state.chosen = message
  showList()
  showMessage()
}

function showList() {
  const wanted = $('filter').value.trim().toLowerCase()
  const messages = state.messages ?? []
  const shown = messages.filter(({ to }) => to.toLowerCase().includes(wanted))
  if (shown.length === 0) {
    const text = messages.length === 0 ? 'Nothing yet: sign somebody up.' : 'Nothing for this address.'
    return $('messages').replaceChildren(element('li', { className: 'muted' }, text))
  }
  $('messages').replaceChildren(
    ...shown.map((message) => {
      const { to, subject, text, at, channel } = message
      const time = element('time', { dateTime: at }, ago(at))
      const choice = element(
        'button',
        { type: 'button' },
        element('b', {}, subject ?? text),
        element('span', {}, `${to} · ${channel === 'email' ? 'mail' : channel} · `, time),
      )
      choice.setAttribute('aria-current', String(message.id === state.chosen?.id))
      choice.addEventListener('click', () => choose(message))
      return element('li', {}, choice)
    }),
  )
}

function showTimes() {
  for (const time of $('messages').querySelectorAll('time')) time.textContent = ago(time.dateTime)
}

function showMessage() {
  const message = state.chosen
  if (message === undefined)
    return $('message').replaceChildren(element('p', { className: 'muted' }, 'Choose a message.'))
  const { subject, to, at, kind, channel } = message
  $('message').replaceChildren(
    element('h2', {}, subject ?? (channel === 'sms' ? 'Text message' : 'WhatsApp message')),
    element('p', { className: 'muted' }, `To ${to} · ${kind.replaceAll('_', ' ')} · ${new Date(at).toLocaleString()}`),
    showParts(message),
    ...showBody(message),
  )
}

/** What a person would type or tap. */
function showParts({ code, link }) {
  const parts = element('dl', { className: 'parts' })
  const part = (name, value, ...buttons) =>
    parts.append(element('dt', {}, name), element('dd', {}, value), element('div', {}, ...buttons))
  const copying = (text) => button('Copy', (event) => copy(text, event.currentTarget))
  if (code !== undefined) part('Code', element('code', { className: 'code' }, code), copying(code))
  if (link !== undefined) {
    const open = element('a', { href: link, target: '_blank', rel: 'noreferrer', className: 'secondary' }, 'Open')
    open.setAttribute('role', 'button')
    part('Link', element('code', {}, link), copying(link), open)
  }
  return parts
}

function showBody({ id, html, text }) {
  if (html === undefined) return [element('pre', {}, text)]
  const tabs = element('div', {})
  tabs.setAttribute('role', 'tablist')
  tabs.append(
    ...views.map((view) => {
      const tab = button(view, () => {
        state.view = view
        showMessage()
      })
      tab.setAttribute('role', 'tab')
      tab.setAttribute('aria-selected', String(view === state.view))
      tab.className = view === state.view ? '' : 'secondary outline'
      return tab
    }),
  )
  if (state.view === 'Text') return [tabs, element('pre', {}, text)]
  const frame = element('iframe', { title: 'The mail', className: state.view === 'Phone' ? 'phone' : '' })
  frame.setAttribute('sandbox', 'allow-popups allow-popups-to-escape-sandbox')
  frame.src = `/mailbox/messages/${encodeURIComponent(id)}/html`
  return [tabs, frame]
}

function ago(at) {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(at)) / 1000))
  if (seconds < 60) return 'just now'
  const minutes = Math.floor(seconds / 60)
  return minutes < 60 ? `${minutes} min ago` : new Date(at).toLocaleTimeString()
}
