import uPlot from './uplot.js'
import { button, copy, element } from './elements.js'
import { difference, readRequests } from './metrics.js'
import { sdks, snippet } from './snippets.js'

const $ = (id) => document.getElementById(id)
const seconds = 60
const state = { overview: undefined, before: undefined, rates: Array.from({ length: seconds }, () => 0), sdk: sdks[0] }

/** Parts of every node, of which nobody wants to know more than that the page is there. */
const unshown = ['node', 'admin', 'dashboard']

const chart = makeChart()
await refreshOverview()
setInterval(refreshOverview, 3000)
setInterval(refreshMetrics, 1000)
$('load').addEventListener('click', sendLoad)
$('copy-snippet').addEventListener('click', (event) => copy($('snippet').textContent, event.currentTarget))

async function refreshOverview() {
  const [health, overview] = await Promise.all([fetchJson('/health/ready'), fetchJson('/admin/v1/overview')])
  showServices(health?.parts)
  if (overview?.tables === undefined) return
  const isFirst = state.overview === undefined
  state.overview = overview
  $('project').textContent = overview.project
  showTables()
  if (isFirst) {
    showAddresses()
    showSnippets()
  }
}

function showServices(parts) {
  if (parts === undefined)
    return $('services').replaceChildren(element('span', { className: 'not-ready' }, 'Pando does not answer'))
  const services = Object.entries(parts).filter(([name]) => !unshown.includes(name))
  $('services').replaceChildren(
    ...services.map(([name, { ready, reason = '' }]) =>
      element('span', { className: ready ? 'ready' : 'not-ready', title: reason }, name),
    ),
  )
}

async function refreshMetrics() {
  const answer = await fetch('/metrics').catch(() => undefined)
  if (!answer?.ok) return
  const after = { ...readRequests(await answer.text()), at: performance.now() }
  const { before } = state
  state.before = after
  if (before === undefined) return
  const { requests, errors, p50, p99 } = difference(before, after)
  const elapsed = (after.at - before.at) / 1000
  state.rates.push(requests / elapsed)
  state.rates.shift()
  $('rate').textContent = Math.round(requests / elapsed).toLocaleString('en')
  $('errors').textContent = Math.round(errors / elapsed).toLocaleString('en')
  $('p50').textContent = milliseconds(p50)
  $('p99').textContent = milliseconds(p99)
  chart.setData([state.rates.map((_, index) => index - seconds + 1), state.rates])
}

function milliseconds(value) {
  return value === undefined ? '–' : `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
}

function makeChart() {
  const style = getComputedStyle(document.documentElement)
  const box = $('chart')
  const axis = { stroke: style.getPropertyValue('--pico-muted-color'), grid: { show: false }, ticks: { show: false } }
  const made = new uPlot(
    {
      width: box.clientWidth,
      height: 140,
      cursor: { show: false },
      legend: { show: false },
      scales: { x: { time: false }, y: { range: (_, _min, max) => [0, Math.max(10, max * 1.1)] } },
      axes: [
        { ...axis, values: (_, ticks) => ticks.map((tick) => (tick === 0 ? 'now' : `${tick} s`)) },
        { ...axis, size: 60 },
      ],
      series: [
        {},
        {
          stroke: style.getPropertyValue('--pico-primary'),
          width: 2,
          fill: style.getPropertyValue('--pico-primary-focus'),
          points: { show: false },
        },
      ],
    },
    [state.rates.map((_, index) => index - seconds + 1), state.rates],
    box,
  )
  addEventListener('resize', () => made.setSize({ width: box.clientWidth, height: 140 }))
  return made
}

function showAddresses() {
  $('addresses').replaceChildren(
    ...state.overview.addresses.map(({ name, value, secret }) => {
      const code = element('code', {}, secret ? '•'.repeat(24) : value)
      const buttons = element(
        'td',
        {},
        button('Copy', (event) => copy(value, event.currentTarget)),
      )
      if (secret) buttons.prepend(button('Show', () => (code.textContent = value)))
      return element('tr', {}, element('td', {}, name), element('td', {}, code), buttons)
    }),
  )
}

function showSnippets() {
  $('sdks').replaceChildren(
    ...sdks.map((sdk) => {
      const tab = button(sdk, () => {
        state.sdk = sdk
        showSnippets()
      })
      tab.setAttribute('role', 'tab')
      tab.setAttribute('aria-selected', String(sdk === state.sdk))
      tab.className = sdk === state.sdk ? '' : 'secondary outline'
      return tab
    }),
  )
  const { url, anonKey } = state.overview
  $('snippet').textContent = snippet(state.sdk, { url, key: anonKey, table: exampleTable()?.name ?? 'your_table' })
}

/** One that answers a stranger, with rows if there is one. */
function exampleTable() {
  const tables = state.overview.tables.filter(({ readable }) => readable)
  return tables.find(({ rows }) => rows > 0) ?? tables[0]
}

function showTables() {
  const { tables } = state.overview
  if (tables.length === 0) {
    $('tables').replaceChildren(element('li', {}, 'No tables yet: npx pando migrate new'))
    return
  }
  $('tables').replaceChildren(
    ...tables.map((table) => {
      const name = table.schema === 'public' ? table.name : `${table.schema}.${table.name}`
      const choose = button(name, () => showRows(table))
      choose.append(element('span', {}, table.rows.toLocaleString('en')))
      choose.setAttribute('aria-current', String(state.table === name))
      return element('li', {}, choose)
    }),
  )
}

async function showRows({ schema, name }) {
  state.table = schema === 'public' ? name : `${schema}.${name}`
  showTables()
  const { anonKey } = state.overview
  const answer = await fetch(`/rest/v1/${encodeURIComponent(name)}?limit=20`, {
    headers: { apikey: anonKey, 'Accept-Profile': schema },
  })
  const rows = await answer.json()
  if (!answer.ok)
    return $('rows').replaceChildren(
      element('p', {}, `${rows.code}: ${rows.message}`),
      element('p', {}, rows.hint ?? ''),
    )
  if (rows.length === 0) {
    return $('rows').replaceChildren(
      element('p', {}, 'An anonymous caller sees no rows: the table is empty, or its policies hide them.'),
    )
  }
  const columns = Object.keys(rows[0])
  $('rows').replaceChildren(
    element(
      'table',
      { className: 'striped' },
      element('thead', {}, element('tr', {}, ...columns.map((column) => element('th', {}, column)))),
      element(
        'tbody',
        {},
        ...rows.map((row) => element('tr', {}, ...columns.map((column) => element('td', {}, cellText(row[column]))))),
      ),
    ),
  )
}

function cellText(value) {
  if (value === null) return '∅'
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/**
 * Four loops that each wait for their answer: what a handful of impatient phones would do. A browser has six connections;
 * the others are for the figures.
 */
async function sendLoad(event) {
  const { anonKey } = state.overview
  const table = exampleTable()
  if (table === undefined) return ($('load-result').textContent = 'There is no table yet that a stranger may read.')
  const source = event.currentTarget
  source.setAttribute('aria-busy', 'true')
  const until = performance.now() + 5000
  const latencies = []
  const loop = async () => {
    while (performance.now() < until) {
      const startedAt = performance.now()
      await fetch(`/rest/v1/${encodeURIComponent(table.name)}?limit=1`, {
        headers: { apikey: anonKey, 'Accept-Profile': table.schema },
      })
        .then((answer) => answer.arrayBuffer())
        .catch(() => undefined)
      latencies.push(performance.now() - startedAt)
    }
  }
  await Promise.all(Array.from({ length: 4 }, loop))
  source.removeAttribute('aria-busy')
  latencies.sort((a, b) => a - b)
  const middle = latencies[Math.floor(latencies.length / 2)]
  $('load-result').textContent =
    `${latencies.length.toLocaleString('en')} requests from this browser, half of them within ${milliseconds(middle)}.`
}

/** Also what a node says that is not ready (503); undefined when none answers. */
async function fetchJson(path) {
  const answer = await fetch(path).catch(() => undefined)
  return answer?.ok || answer?.status === 503 ? answer.json() : undefined
}
