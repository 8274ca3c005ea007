import * as fc from 'fast-check'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { options } from './options.ts'
import { formatOption, parseOption } from './parse-option.ts'
import { type ConfigurationError, readConfiguration } from './read-configuration.ts'
import { renderConfigurationDoc, renderEnvExample } from './render-documents.ts'

const rest = options({
  prefix: 'rest',
  text: 'The data API.',
  options: {
    maxRows: { type: 'integer', default: null, min: 0, toml: 'api.max_rows', text: 'Most rows of an answer.' },
    schemas: { type: 'list', default: ['public'], toml: 'api.schemas', text: 'Exposed schemas.' },
    names: { type: 'list', pairs: true, default: [], toml: 'api.names', text: 'What each is called.' },
    txEnd: { type: 'enum', values: ['commit', 'rollback'], default: 'commit', text: 'How a transaction ends.' },
    timeout: { type: 'duration', default: 8000, min: 1, text: 'Longest request.' },
    body: { type: 'bytes', default: 1024 ** 2, text: 'Largest body.' },
    open: { type: 'boolean', default: false, text: 'Open to all.' },
    jwtSecret: { type: 'secret', default: null, bytesMin: 32, text: 'The key.' },
    database: { type: 'url', default: null, schemes: ['postgres'], env: 'DATABASE_URL', text: 'The database.' },
    peers: {
      type: 'tables',
      default: [],
      toml: 'api.peers',
      text: 'Others.',
      members: {
        baseUrl: { type: 'url', default: null, required: true, text: 'Where it is.' },
        weight: { type: 'integer', default: 1, min: 1, text: 'Its share.' },
        names: { type: 'list', default: [], text: 'What it answers to.' },
      },
    },
  },
})
const groups = { rest }
const mistakesOf = (sources: Parameters<typeof readConfiguration>[1]): readonly string[] => {
  try {
    readConfiguration(groups, sources)
    return []
  } catch (error) {
    return (error as ConfigurationError).mistakes
  }
}

describe('readConfiguration', () => {
  it('gives the defaults, with types, when nothing is said', () => {
    const { rest: values } = readConfiguration(groups, {})
    const typed: { maxRows: number | null; txEnd: 'commit' | 'rollback'; timeout: number; open: boolean } = values
    expect(typed).toMatchObject({ maxRows: null, schemas: ['public'], txEnd: 'commit', timeout: 8000, body: 1048576 })
  })

  it('lets flags outrank variables, variables the project file, and the file the default', () => {
    const project = { api: { max_rows: 1, schemas: ['a', 'b'] } }
    expect(readConfiguration(groups, { project }).rest).toMatchObject({ maxRows: 1, schemas: ['a', 'b'] })
    const environment = { PANDO_REST_MAX_ROWS: '2', PANDO_REST_OPEN: '' }
    expect(readConfiguration(groups, { project, environment }).rest).toMatchObject({ maxRows: 2, open: false })
    const flags = { 'rest-max-rows': '3', 'rest-open': true }
    expect(readConfiguration(groups, { project, environment, flags }).rest).toMatchObject({ maxRows: 3, open: true })
  })

  it('reports every mistake at once and suggests the name that was meant', () => {
    const mistakes = mistakesOf({
      project: { api: { max_rows: 'many' } },
      environment: {
        PANDO_REST_TX_END: 'maybe',
        PANDO_REST_TIMEOUT: '0',
        PANDO_REST_MAX_ROW: '1',
        PANDO_ELSEWHERE_ENTIRELY: 'x',
        DATABASE_URL: 'mysql://root:hunter2@db',
        HOME: '/root',
      },
      flags: { 'rest-opne': true },
    })
    expect(mistakes).toEqual([
      'api.max_rows in config.toml must be a whole number, but is "many"',
      'PANDO_REST_TX_END must be one of commit, rollback, but is "maybe"',
      'PANDO_REST_TIMEOUT must be at least 1ms, but is "0"',
      'DATABASE_URL must be a URL that starts with postgres://',
      'PANDO_REST_MAX_ROW is not an option; perhaps you meant PANDO_REST_MAX_ROWS',
      'PANDO_ELSEWHERE_ENTIRELY is not an option',
      '--rest-opne is not an option; perhaps you meant --rest-open',
    ])
  })

  it('never prints a secret, neither a good one nor a bad one', () => {
    const text = 'correct-horse-battery-staple-and-more'
    const { rest: values } = readConfiguration(groups, { environment: { PANDO_REST_JWT_SECRET: text } })
    expect(values.jwtSecret?.reveal()).toBe(text)
    expect(`${inspect(values)} ${JSON.stringify(values)} ${String(values.jwtSecret)}`).not.toContain('horse')
    const [mistake] = mistakesOf({ environment: { PANDO_REST_JWT_SECRET: 'short' } })
    expect(mistake).toBe('PANDO_REST_JWT_SECRET must have at least 32 bytes, but has 5')
  })

  it('reads pairs from a table of the file or from a list', () => {
    const names = (sources: Parameters<typeof readConfiguration>[1]) => readConfiguration(groups, sources).rest.names
    expect(names({ project: { api: { names: { '1': 'one', two: 'zwei' } } } })).toEqual(['1=one', 'two=zwei'])
    expect(names({ environment: { PANDO_REST_NAMES: '1=one, two=zwei' } })).toEqual(['1=one', 'two=zwei'])
    expect(mistakesOf({ project: { api: { names: { two: 2 } } } })).toHaveLength(1)
    expect(mistakesOf({ project: { api: { schemas: { two: 'zwei' } } } })).toHaveLength(1)
  })

  it('does not read inherited members of the project file', () => {
    const project = Object.create({ api: { max_rows: 5 } }) as Record<string, unknown>
    expect(readConfiguration(groups, { project }).rest.maxRows).toBeNull()
  })
})

describe('tables', () => {
  const peers = (sources: Parameters<typeof readConfiguration>[1]) => readConfiguration(groups, sources).rest.peers

  it('come from the file or as JSON, each member with its type and default', () => {
    const read: readonly { baseUrl: string; weight: number; names: readonly string[] }[] = [
      { baseUrl: 'http://a', weight: 3, names: ['x'] },
      { baseUrl: 'http://b', weight: 1, names: [] },
    ]
    const written = [{ base_url: 'http://a', weight: 3, names: ['x'] }, { base_url: 'http://b' }]
    expect(peers({ project: { api: { peers: written } } })).toEqual(read)
    expect(peers({ environment: { PANDO_REST_PEERS: JSON.stringify(written) } })).toEqual(read)
    expect(peers({})).toEqual([])
  })

  it('are told apart by their place when they have mistakes', () => {
    const written = [{ base_url: 'http://a' }, { weight: 0, baseurl: 'http://b' }, { base_url: 'nowhere' }]
    expect(mistakesOf({ project: { api: { peers: written } } })).toEqual([
      'api.peers in config.toml must be right: baseurl is unknown (perhaps you meant base_url) in table 2; ' +
        'base_url is missing in table 2; weight must be at least 1, but is 0 in table 2; ' +
        'base_url must be a URL that starts with http:// or https:// in table 3',
    ])
    for (const text of ['[', '{}', '[1]'])
      expect(mistakesOf({ environment: { PANDO_REST_PEERS: text } })).toEqual([
        'PANDO_REST_PEERS must be tables, in a variable or flag a JSON array of objects',
      ])
  })
})

describe('the written form of a value', () => {
  it('reads back as the same number of milliseconds or bytes', () => {
    fc.assert(
      fc.property(fc.nat(), (value) => {
        for (const type of ['duration', 'bytes'] as const)
          expect(parseOption({ type, default: null, text: '' }, formatOption(type, value))).toEqual({ value })
      }),
    )
  })

  it('never throws on anything a file can hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom(...Object.values(rest.options)), (raw, option) => {
        const parsed = parseOption(option, raw)
        expect('value' in parsed || parsed.mistake.startsWith('must ')).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('generated documents', () => {
  it('name every option with its variable, flag, kind, bounds and default', () => {
    const page = renderConfigurationDoc([rest])
    expect(page).toContain('### `PANDO_REST_MAX_ROWS`')
    expect(page).toContain(
      'Also `--rest-max-rows` or `api.max_rows` in config.toml · whole number, at least `0` · default none',
    )
    expect(page).toContain('duration (`250ms`, `30s`, `5m`, `2h`, `7d`), at least `1ms` · default `8s`')
    expect(page).toContain('one of `commit`, `rollback` · default `commit`')
    expect(page).toContain(
      '- `base_url`: Where it is. URL · required\n- `weight`: Its share. whole number · default `1`',
    )
  })

  it('give an example file whose lines are comments', () => {
    const example = renderEnvExample([rest])
    expect(example).toContain('# Largest body.\n#PANDO_REST_BODY=1mb')
    expect(example.split('\n').every((line) => line === '' || line.startsWith('#'))).toBe(true)
  })
})
