import fc from 'fast-check'
import { expect, test } from 'vitest'
import { translateTemplate } from './go-template.ts'
import { renderHtml } from './render.ts'

const variables = new Set(['Token', 'ConfirmationURL', 'Data'])
const render = (template: string, view: Record<string, unknown>): string =>
  renderHtml(translateTemplate(template, 'invite.html', variables), view)

test.each([
  ['{{ .Token }}', '123456'],
  ['{{.Token}}', '123456'],
  ['<a href="{{ .ConfirmationURL }}">ok</a>', '<a href="https://x.example/verify?a=1&amp;b=2">ok</a>'],
  ['Hello {{ .Data.name }}', 'Hello Ada'],
  ['Hello {{ .Data.address.city }}', 'Hello Paris'],
  ['Hello {{ .Data.nobody }}', 'Hello '],
  ['{ "not": "one" } and } }', '{ "not": "one" } and } }'],
])('%s is filled in', (template, filled) => {
  const view = {
    Token: '123456',
    ConfirmationURL: 'https://x.example/verify?a=1&b=2',
    Data: { name: 'Ada', address: { city: 'Paris' } },
  }
  expect(render(template, view)).toBe(filled)
})

test.each([
  ['{{ if .Token }}x{{ end }}', / invite\.html:1: \{\{ if \.Token \}\} is no variable/],
  ['\n\n<p>{{ range .Data }}', / invite\.html:3: /],
  ['{{- .Token }}', /is no variable/],
  ['{{ .Token | urlquery }}', /is no variable/],
  ['{{#Token}}x{{/Token}}', /is no variable/],
  ['{{{ .Token }}}', /is no variable/],
  ['{{ .Token', /is no variable/],
  ['{{ .Tokne }}', /is unknown here; there are \.Token, \.ConfirmationURL, \.Data/],
  ['{{ .Token.length }}', /is unknown here/],
  ['<a href={{ .ConfirmationURL }}>', /must stand between quotes/],
])('%j is refused with its place', (template, message) => {
  expect(() => translateTemplate(template, 'invite.html', variables)).toThrow(message)
})

test('whatever somebody calls themselves stays text', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const filled = render('<b title="{{ .Data.name }}">{{ .Data.name }}</b>', { Data: { name } })
      expect(filled.slice('<b title="'.length, -'</b>'.length)).not.toMatch(/[<'].*|"(?!>)/)
      expect(filled.match(/[<>]/g)).toHaveLength(4)
    }),
  )
})

test('a name that looks like a template is not one', () => {
  expect(render('{{ .Data.name }}', { Data: { name: '{{ .Token }}{{Token}}' }, Token: 'secret' })).not.toContain(
    'secret',
  )
})
