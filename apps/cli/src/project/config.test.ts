import { serverGroups } from '@pando/server/config'
import * as fc from 'fast-check'
import { stringify } from 'smol-toml'
import { describe, expect, it } from 'vitest'

import { parseProjectFile } from './config.ts'
import type { ProjectKind } from './find-project.ts'
import { knownPaths } from './project-options.ts'

const read = (source: string, kind: ProjectKind = 'pando', environment: Record<string, string> = {}) =>
  parseProjectFile(source, { kind, environment, knownPaths })

describe('parseProjectFile', () => {
  const mistakes: [name: string, source: string, message: RegExp][] = [
    ['text that is not TOML, with line and caret', '[api]\nport = = 1', /^line 2, column 8: .*\n(.*\n)*.*\^/],
    [
      'a key that nobody reads, with the one that was meant',
      '[api]\nshemas = []',
      /^api\.shemas is not a setting of Pando; perhaps you meant api\.schemas$/,
    ],
    ['a section that nobody reads', '[pai]\nx = 1', /^pai\.x is not a setting of Pando/],
    ['a value in place of a section', 'api = 3', /^api must be a section \[api\], but is 3$/],
    [
      'a variable that is not set',
      '[db]\nport = "env(DB_PORT)"',
      /^db\.port is env\(DB_PORT\), but DB_PORT is not set/,
    ],
    ['a key that reaches for a prototype', '[api.__proto__]\nx = 1', /line 1/],
  ]
  it.each(mistakes)('tells of %s', (_, source, message) => {
    const found = read(source).mistakes
    expect(found).toHaveLength(1)
    expect(found[0]).toMatch(message)
  })

  it('collects all mistakes of a file', () => {
    expect(read('[api]\nprot = 1\nport = "env(P)"\n[bd]\nx = 1').mistakes).toHaveLength(3)
  })

  it('tolerates what it does not know in a supabase/ project, and lists it', () => {
    const { file, mistakes } = read('[studio]\nport = 54323\n[db.pooler]\nenabled = false', 'supabase')
    expect(mistakes).toEqual([])
    expect(file.ignored).toEqual(['studio.port', 'db.pooler.enabled'])
  })

  it('keeps the sections of other services whole', () => {
    const { file, mistakes } = read(
      'project_id = "x"\n[auth]\nsite_url = "https://a.b"\n[functions.hello]\nverify_jwt = false',
    )
    expect(mistakes).toEqual([])
    expect(file.table['auth']).toEqual({ site_url: 'https://a.b' })
  })

  it('replaces env(NAME) anywhere, also in lists, and leaves out what nobody set', () => {
    const source = '[auth]\na = "env(A)"\nb = "env(B)"\nc = ["env(A)", "env(B)", "x"]\nd = "see env(A)"'
    const { file } = read(source, 'supabase', { A: '1' })
    expect(file.table['auth']).toEqual({ a: '1', c: ['1', 'x'], d: 'see env(A)' })
    expect(file.unsetVariables).toEqual(['B'])
  })

  it('takes no variable from the prototype of the environment', () => {
    expect(read('[auth]\na = "env(toString)"').file.unsetVariables).toEqual(['toString'])
  })

  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (source) => void expect(read(source).mistakes).toBeInstanceOf(Array),
      ),
    )
  })

  it('gives back every table that TOML can hold', () => {
    const leaf = fc.oneof(
      fc.integer(),
      fc.boolean(),
      fc.string().filter((text) => !text.startsWith('env(')),
    )
    const key = fc.stringMatching(/^[a-z]{1,8}$/).filter((name) => !(name in {}))
    const table = fc.dictionary(key, fc.oneof(leaf, fc.array(leaf, { maxLength: 3 })), {
      noNullPrototype: true,
      maxKeys: 5,
    })
    fc.assert(
      fc.property(table, (auth) => {
        expect({ ...(read(stringify({ auth })).file.table['auth'] as object | undefined) }).toEqual(auth)
      }),
    )
  })
})

it('knows every key of config.toml that the server reads', () => {
  const read = Object.values(serverGroups).flatMap(({ options }) => Object.values(options).map(({ toml }) => toml))
  const open = (path: string) => /^(auth|realtime)\./.test(path)
  expect(read.filter((path) => path !== undefined && !open(path) && !knownPaths.includes(path))).toEqual([])
})
