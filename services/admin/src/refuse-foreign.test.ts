import { expect, test } from 'vitest'
import { refuseForeign } from './refuse-foreign.ts'

const own = { host: '127.0.0.1:54321' }

test.each([
  ['a tool without a browser', '127.0.0.1', own],
  ['our own page', '::ffff:127.0.0.1', { ...own, 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:54321' }],
  ['an address typed into the browser', '::1', { host: 'localhost:54321', 'sec-fetch-site': 'none' }],
])('%s is answered', (_, address, headers) => {
  expect(() => refuseForeign(address, headers)).not.toThrow()
})

test.each([
  ['a page of another site', '127.0.0.1', { ...own, 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
  ['a page of another port', '127.0.0.1', { ...own, origin: 'http://127.0.0.1:8080' }],
  ['a name that was made to resolve here', '127.0.0.1', { host: 'evil.example:54321' }],
  ['another machine', '10.0.0.7', own],
  ['no host at all', '127.0.0.1', {}],
  ['an origin that is none', '127.0.0.1', { ...own, origin: 'null' }],
])('%s is refused', (_, address, headers) => {
  expect(() => refuseForeign(address, headers)).toThrow(expect.objectContaining({ code: 'admin.foreign_request' }))
})
