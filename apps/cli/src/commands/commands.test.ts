import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { runPando } from '../testing/run-pando.ts'

let cwd: string

beforeEach(async () => {
  cwd = await makeTemporaryFolder('pando-commands-')
})
afterEach(() => rmSync(cwd, { recursive: true }))

const pando = (...args: string[]) => runPando(args, { cwd })

describe('the command line', () => {
  it('explains itself, each command with examples', async () => {
    const help = await pando('--help')
    expect(help).toMatchObject({ code: 0, err: '' })
    for (const name of ['init', 'dev', 'serve', 'migrate', 'seed', 'types', 'keys', 'doctor', 'status']) {
      expect(help.out).toMatch(new RegExp(`^  ${name} `, 'm'))
    }
    expect((await pando('migrate', 'reset', '--help')).out).toMatch(/--yes[^]*Global Options[^]*--project[^]*Examples:/)
  })

  it.each([
    [['dve'], /unknown command 'dve'[^]*Did you mean dev\?/],
    [['migrate', 'statsu'], /unknown command 'statsu'[^]*Did you mean status\?/],
    [['dev', '--prot', '1'], /unknown option '--prot'[^]*Did you mean --port\?/],
    [['dev', '--port', '70000'], /'70000' is invalid.*from 0 to 65535/],
    [['migrate', 'new'], /missing required argument 'name'/],
  ])('refuses %j and says what was meant', async (args, message) => {
    const { code, out, err } = await pando(...args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(message)
  })

  it('says that there is no project, as text and as JSON', async () => {
    expect(await pando('status')).toMatchObject({
      code: 3,
      out: '',
      err: expect.stringMatching(/No project in .*pando init/s),
    })
    const { out } = await pando('status', '--json')
    expect(JSON.parse(out)).toMatchObject({
      error: { reason: 'project', remedy: expect.stringContaining('pando init') },
    })
  })

  it('reports all mistakes of config.toml together, with key and value', async () => {
    mkdirSync(join(cwd, 'supabase'))
    writeFileSync(
      join(cwd, 'supabase', 'config.toml'),
      '[api]\nport = "many"\nmax_rows = "all"\n[db]\nport = 70000\n[db.seed]\nenabled = 7\n[auth]\njwt_secret = "short"\n',
    )
    const { code, out } = await pando('status', '--json')
    expect({ code, ...JSON.parse(out) }).toMatchObject({
      code: 3,
      error: {
        file: 'supabase/config.toml',
        remedy: 'Correct supabase/config.toml and run the command again.',
        mistakes: [
          'api.port in config.toml must be a whole number, but is "many"',
          'db.port in config.toml must be at most 65535, but is 70000',
          'db.seed.enabled in config.toml must be true or false, but is 7',
          'auth.jwt_secret in config.toml must have at least 32 bytes, but has 5',
          'api.max_rows in config.toml must be a whole number, but is "all"',
        ],
      },
    })
  })

  it('says what a service cannot use before dev touches the database', async () => {
    mkdirSync(join(cwd, 'pando'))
    writeFileSync(join(cwd, 'pando', 'config.toml'), '[api]\nmax_rows = "all"\n')
    const { code, err } = await runPando(['dev', '--port', '0', '--db-port', '0'], {
      cwd,
      env: { PANDO_LOG_LEVEL: 'x' },
    })
    expect(code).toBe(3)
    expect(err).toMatch(/2 mistakes[^]*api\.max_rows .*"all"/)
    expect(err).toContain('PANDO_LOG_LEVEL must be one of')
  })

  it('tells keys of [auth] that nobody reads: a mistake in pando/, a finding in supabase/', async () => {
    mkdirSync(join(cwd, 'pando'))
    const text = '[auth]\nsite_ur = "http://127.0.0.1"\n[auth.web3.solana]\nenabled = true\n'
    writeFileSync(join(cwd, 'pando', 'config.toml'), text)
    const dev = await pando('dev', '--port', '0', '--db-port', '0')
    expect(dev).toMatchObject({ code: 3, out: '' })
    expect(dev.err).toContain('auth.site_ur is not a setting of Pando; perhaps you meant auth.site_url')
    mkdirSync(join(cwd, 'existing', 'supabase'), { recursive: true })
    writeFileSync(join(cwd, 'existing', 'supabase', 'config.toml'), text)
    const doctor = await pando('doctor', '--project', 'existing')
    expect(doctor.out).toContain('not used by Pando: auth.site_ur, auth.web3.solana.enabled')
  })

  const oldNode = findOldNode()
  it.skipIf(oldNode === undefined)('runs under an older Node by starting the pinned one', async () => {
    const { code, out } = await runPando(['--version'], { cwd, node: oldNode })
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
    expect((await runPando(['status'], { cwd, node: oldNode })).code).toBe(3)
  })
})

/** A Node of the machine that is too old to run Pando itself, if there is one. */
function findOldNode(): string | undefined {
  const candidates = ['/usr/local/bin/node', '/usr/bin/node'].filter((file) => existsSync(file))
  return candidates.find(
    (file) => Number.parseInt(execFileSync(file, ['-p', 'process.versions.node']).toString(), 10) < 26,
  )
}

describe('pando init', () => {
  it('makes a project that status can read, and refuses to make it twice', async () => {
    expect(await pando('init')).toMatchObject({ code: 0, out: expect.stringContaining('pando dev') })
    expect(readdirSync(join(cwd, 'pando')).sort()).toEqual(['config.toml', 'migrations', 'seed.sql'])
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8').split('\n')).toContain('.pando/')
    const again = await pando('init')
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining('pando exists already') })
    const status = JSON.parse((await pando('status', '--json')).out) as Record<string, unknown>
    expect(status).toMatchObject({ running: false, kind: 'pando', API_URL: 'http://127.0.0.1:54321' })
    expect(status['PUBLISHABLE_KEY']).toMatch(/^sb_publishable_/)
  })

  it('adds to a .gitignore that exists, once', async () => {
    writeFileSync(join(cwd, '.gitignore'), 'node_modules\n.env')
    await pando('init', '--json')
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toBe(
      'node_modules\n.env\n.pando/\n.env.local\n.env.*.local\n',
    )
  })
})

describe('pando migrate new', () => {
  it('prints the path of the new file', async () => {
    mkdirSync(join(cwd, 'supabase', 'migrations'), { recursive: true })
    const { code, out } = await pando('migrate', 'new', 'add', 'trips')
    expect(code).toBe(0)
    expect(out).toMatch(/^supabase\/migrations\/\d{14}_add_trips\.sql\n$/)
    expect(readFileSync(join(cwd, out.trim()), 'utf8')).toBe('-- add trips\n')
  })
})

describe('pando keys', () => {
  it('prints the well-known keys of a supabase/ project under the names that scripts read', async () => {
    mkdirSync(join(cwd, 'supabase', 'migrations'), { recursive: true })
    const keys = JSON.parse((await pando('keys', '--json')).out) as Record<string, string>
    expect(Object.keys(keys)).toEqual([
      'ANON_KEY',
      'SERVICE_ROLE_KEY',
      'PUBLISHABLE_KEY',
      'SECRET_KEY',
      'JWT_SECRET',
      'SIGNING_KEYS',
    ])
    expect(keys['SIGNING_KEYS']).toEqual([])
    expect(keys['PUBLISHABLE_KEY']).toBe('sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH')
    expect((await pando('status', '--output', 'env')).out).toContain(`ANON_KEY="${keys['ANON_KEY']}"\n`)
  })

  it('rotates what signs tokens, and all other keys only when told so', async () => {
    await pando('init')
    const before = JSON.parse((await pando('keys', '--json')).out) as Record<string, unknown>
    const rotated = JSON.parse((await pando('keys', 'rotate', '--json')).out) as Record<string, unknown>
    const [first] = before['SIGNING_KEYS'] as [{ kid: string }]
    expect(rotated).toEqual({
      ...before,
      SIGNING_KEYS: [
        { kid: expect.not.stringMatching(first.kid), alg: 'ES256', state: 'signs', until: null },
        { kid: first.kid, alg: 'ES256', state: 'verifies', until: expect.stringMatching(/Z$/) },
      ],
    })
    expect(await pando('keys', 'rotate', '--all')).toMatchObject({ code: 2, err: expect.stringContaining('--yes') })
    const after = JSON.parse((await pando('keys', 'rotate', '--all', '--yes', '--json')).out) as Record<string, unknown>
    expect(after['SECRET_KEY']).not.toBe(before['SECRET_KEY'])
    expect(after['SIGNING_KEYS']).toHaveLength(1)
  })

  it('leaves keys that the user gave to the user, and makes new ones for them', async () => {
    mkdirSync(join(cwd, 'supabase', 'migrations'), { recursive: true })
    expect(await pando('keys', 'rotate')).toMatchObject({ code: 3, err: expect.stringContaining('pando keys new') })
    writeFileSync(join(cwd, 'supabase', 'signing_keys.json'), (await pando('keys', 'new')).out)
    writeFileSync(join(cwd, 'supabase', 'config.toml'), '[auth]\nsigning_keys_path = "./signing_keys.json"\n')
    const { SIGNING_KEYS: keys } = JSON.parse((await pando('keys', '--json')).out) as { SIGNING_KEYS: unknown }
    expect(keys).toMatchObject([{ alg: 'ES256', state: 'signs' }])
  })
})

describe('pando serve', () => {
  const serve = (env: Record<string, string>, ...args: string[]) => runPando(['serve', ...args], { cwd, env })
  const database = { DATABASE_URL: 'postgres://postgres:x@127.0.0.1:1/postgres' }

  it('needs a database and a key of its own', async () => {
    expect(await serve({})).toMatchObject({ code: 2, err: expect.stringContaining('DATABASE_URL is not set') })
    expect(await serve(database)).toMatchObject({ code: 3, err: expect.stringContaining('PANDO_JWT_SECRET') })
  })

  it('needs no database where it is only a gateway', async () => {
    expect(await serve({}, '--services', 'gateway')).toMatchObject({
      code: 3,
      err: expect.stringContaining('PANDO_JWT_SECRET'),
    })
  })

  it('takes a number of workers, or auto', async () => {
    expect(await serve(database, '--workers', 'many')).toMatchObject({ code: 2, err: expect.stringContaining('auto') })
    expect(await serve(database, '--workers', 'auto')).toMatchObject({ code: 3 })
  })

  it('refuses demo keys where others can reach it', async () => {
    const env = { ...database, PANDO_JWT_SECRET: 'super-secret-jwt-token-with-at-least-32-characters-long' }
    const { code, err } = await serve(env, '--host', '0.0.0.0')
    expect({ code, err }).toEqual({
      code: 3,
      err: expect.stringMatching(/PANDO_JWT_SECRET is a well-known demo key.*0\.0\.0\.0/),
    })
  })

  it('reports every mistake in the environment', async () => {
    const { code, err } = await serve({ ...database, PANDO_HTTP_HEADERS_MAX: 'many', PANDO_RST_MAX_ROWS: '3' })
    expect(code).toBe(3)
    expect(err).toMatch(/2 mistakes[^]*PANDO_HTTP_HEADERS_MAX .*"many"[^]*PANDO_REST_MAX_ROWS/)
  })
})
