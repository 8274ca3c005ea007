import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const { resolve } = createRequire(import.meta.url)
const own = fileURLToPath(new URL('../public/', import.meta.url))
const uplot = dirname(resolve('uplot'))

/** A file of the dashboard: where it is served, where it lies, what it is. */
export type Asset = { readonly path: string; readonly file: string; readonly contentType: string }

const html = 'text/html; charset=utf-8'
const css = 'text/css; charset=utf-8'
const javascript = 'text/javascript; charset=utf-8'

/** Everything the dashboard consists of; there is no build. The look is Pico's, the chart uPlot's. */
export const assets: readonly Asset[] = [
  { path: '/', file: join(own, 'index.html'), contentType: html },
  { path: '/dashboard/dashboard.css', file: join(own, 'dashboard.css'), contentType: css },
  { path: '/dashboard/dashboard.js', file: join(own, 'dashboard.js'), contentType: javascript },
  { path: '/dashboard/elements.js', file: join(own, 'elements.js'), contentType: javascript },
  { path: '/dashboard/metrics.js', file: join(own, 'metrics.js'), contentType: javascript },
  { path: '/dashboard/snippets.js', file: join(own, 'snippets.js'), contentType: javascript },
  { path: '/mailbox', file: join(own, 'mailbox.html'), contentType: html },
  { path: '/dashboard/mailbox.css', file: join(own, 'mailbox.css'), contentType: css },
  { path: '/dashboard/mailbox.js', file: join(own, 'mailbox.js'), contentType: javascript },
  { path: '/dashboard/pico.css', file: resolve('@picocss/pico/css/pico.green.min.css'), contentType: css },
  { path: '/dashboard/uplot.css', file: join(uplot, 'uPlot.min.css'), contentType: css },
  { path: '/dashboard/uplot.js', file: join(uplot, 'uPlot.esm.js'), contentType: javascript },
]
