import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Each takes megabytes, and a node that rests needs none: they come with the first request that does. */
const onDemand = new Set([
  'ajv',
  'csv-parse',
  'html-to-text',
  'ioredis',
  'nodemailer',
  'openid-client',
  '@simplewebauthn/server',
  'typebox',
  'undici',
  'lib0',
  'y-protocols',
  'yjs',
])

/** Prints the packages that the modules named on the command line bring in. */
const script = `
  import { registerHooks } from 'node:module'
  const packages = new Set()
  registerHooks({
    load(url, context, next) {
      packages.add(/node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1])
      return next(url, context)
    },
  })
  for (const url of process.argv.slice(1)) await import(url)
  process.stdout.write(JSON.stringify([...packages]))
`

test('starting a node loads no library that only some requests need', () => {
  const modules = ['./factories.ts', './start-server.ts'].map((path) => new URL(path, import.meta.url).href)
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script, ...modules], {
    encoding: 'utf8',
  })
  const packages = JSON.parse(printed) as string[]
  expect(packages).toContain('fastify')
  expect(packages.filter((name) => onDemand.has(name))).toEqual([])
})
