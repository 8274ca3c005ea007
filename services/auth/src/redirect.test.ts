import { expect, test } from 'vitest'
import { isAllowedRedirect, toRedirect } from './redirect.ts'

const options = {
  siteUrl: 'https://roam.example/welcome',
  redirectUrls: [
    'https://app.example',
    'https://*.preview.example/back',
    'https://docs.example/**',
    'roam://callback',
    'roam-dev://**',
    'http://localhost:*/back',
    'https://exact.example/a?b=c',
    'https://[::1]:9000/back',
  ],
}

test.each([
  'https://roam.example',
  'https://roam.example/anything?at=all',
  'HTTPS://ROAM.EXAMPLE/anything',
  'https://roam.example:443/',
  'https://app.example',
  'https://app.example/',
  'https://one.preview.example/back',
  'https://docs.example/a/b/c?d=e',
  'roam://callback',
  'roam-dev://auth/callback?x=1',
  'http://localhost:5173/back',
  'https://exact.example/a?b=c',
  'https://[::1]:9000/back',
  'https://[0:0::1]:9000/back',
])('%s is allowed', (asked) => {
  expect(isAllowedRedirect(asked, options)).toBe(true)
})

test.each([
  ['another host', 'https://evil.example/'],
  ['the site as a user name', 'https://roam.example@evil.example/'],
  ['the site as user name and password', 'https://roam.example:443@evil.example/'],
  ['a user name at the site', 'https://me@roam.example/'],
  ['an empty user name', 'https://@evil.example/'],
  ['a backslash for a slash', String.raw`https://evil.example\@roam.example/`],
  ['two backslashes', String.raw`https:\\evil.example`],
  ['a backslash at the end of the host', String.raw`https://roam.example\.evil.example`],
  ['another port', 'https://roam.example:8443/'],
  ['the port of another scheme', 'https://roam.example:80/'],
  ['another scheme', 'http://roam.example/'],
  ['a fragment', 'https://roam.example/#access_token=x'],
  ['a suffix', 'https://roam.example.evil.example/'],
  ['a prefix', 'https://evilroam.example/'],
  ['a dot at the end', 'https://roam.example./'],
  ['a newline in the scheme', 'https:\n//evil.example'],
  ['a tab in the host', 'https://roam.exa\tmple.evil.example'],
  ['a space before', ' https://evil.example'],
  ['a null character', 'https://roam.example\u0000.evil.example'],
  ['no scheme', '//evil.example'],
  ['a path', '/welcome'],
  ['a script', 'javascript:alert(1)//https://roam.example'],
  ['a script in capitals', 'JaVaScRiPt:alert(1)'],
  ['data', 'data:text/html,<script>'],
  ['a blob of the site', 'blob:https://roam.example/x'],
  ['a file', 'file:///etc/passwd'],
  ['two levels for one star', 'https://a.b.preview.example/back'],
  ['a slash in one star', 'https://evil.example/.preview.example/back'],
  ['a question mark in one star', 'https://evil.example?.preview.example/back'],
  ['an at sign in one star', 'https://x@evil.preview.example/back'],
  ['dots that leave the path', 'https://one.preview.example/back/../evil'],
  ['encoded dots that leave the path', 'https://one.preview.example/back/%2e%2e/evil'],
  ['a longer path', 'https://one.preview.example/back/more'],
  ['another query', 'https://exact.example/a?b=d'],
  ['letters for digits in a port', 'http://localhost:@evil.example/back'],
  ['an address in decimal', 'https://2130706433/'],
  ['a lookalike', 'https://roаm.example/'],
  ['nothing', ''],
])('%s is refused', (_name, asked) => {
  expect(isAllowedRedirect(asked, options)).toBe(false)
  expect(toRedirect(asked, options)).toBe(options.siteUrl)
})

test('without a wish people land at the site', () => {
  expect(toRedirect(undefined, options)).toBe(options.siteUrl)
})

test('an app as the site does not allow every app', () => {
  const app = { siteUrl: 'roam://home', redirectUrls: [] }
  expect(isAllowedRedirect('roam://elsewhere', app)).toBe(false)
  expect(toRedirect('roam://elsewhere', app)).toBe('roam://home')
})
