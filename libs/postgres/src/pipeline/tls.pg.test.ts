import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cell, eventually, exchange, sql, startTestCluster, within, type TestCluster } from './test-cluster.ts'

const installed = spawnSync('openssl', ['version']).status === 0
if (!installed) process.stderr.write('tls.pg.test.ts is skipped: the program openssl is not installed\n')

describe.skipIf(!installed)('over TLS', () => {
  let cluster: TestCluster
  let folder: string
  let url: string

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'pando-tls-'))
    const make = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost']
    spawnSync(
      'openssl',
      [...make, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'],
      { cwd: folder },
    )
    cluster = await startTestCluster({ tcp: true })
    // The server reads these files itself, so it writes them too, with its own owner.
    const [home] = await cluster.admin('show data_directory')
    for (const [file, text] of [
      ['server.key', 'key.pem'],
      ['server.crt', 'cert.pem'],
    ] as const) {
      const content = await readFile(path.join(folder, text), 'utf8')
      await cluster.admin(
        `copy (select unnest(string_to_array($$${content}$$, E'\\n'))) to program 'cat > "${home!.data_directory as string}/${file}"; chmod 600 "${home!.data_directory as string}/${file}"'`,
      )
    }
    await cluster.admin('alter system set ssl = on')
    await cluster.admin('select pg_reload_conf()')
    url = `postgres://authenticator:open@127.0.0.1:${cluster.tcpPort}/postgres?sslmode=verify-full&sslrootcert=${path.join(folder, 'cert.pem')}`
  })
  afterAll(async () => {
    await cluster?.remove()
    await rm(folder, { recursive: true, force: true })
  })

  test('exchanges, large parameters and cancels go through an encrypted connection', async () => {
    const pools = cluster.pools({ url })
    // The reload that switches TLS on takes a moment.
    await eventually(() =>
      pools.run(exchange(sql('select 1'))).then(
        () => true,
        () => false,
      ),
    )
    const encrypted = await cluster.admin(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'pando-test'`,
    )
    expect(encrypted).toEqual([{ ssl: true }])
    const chunks = Array.from({ length: 100 }, () => Buffer.alloc(64 * 1024, 'b'))
    expect(await cell(pools, exchange(sql('select length($1::text)', chunks), { access: 'write' }))).toBe(
      String(100 * 64 * 1024),
    )
    const late = pools.run(exchange(sql('select pg_sleep(20)'), within(200)))
    await expect(late).rejects.toMatchObject({ reason: 'deadline', sent: true })
    await eventually(() => pools.stats().lanes.every(({ inFlight }) => inFlight === 0))
    expect(await cell(pools, exchange(sql('select 1')))).toBe('1')
    await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        cell(pools, exchange(sql('select $1::int', String(i)))).then((got) => expect(got).toBe(String(i))),
      ),
    )
  })
})
