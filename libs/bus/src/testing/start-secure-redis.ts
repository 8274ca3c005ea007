import { execFile } from 'node:child_process'
import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '@pando/postgres/testing/free-port'
import { makeTemporaryFolder } from '@pando/postgres/testing/temporary-folder'
import { startRedis, type TestRedis } from './start-redis.ts'

export type SecureTestRedis = TestRedis & {
  /** A file with the certificate, which vouches for itself, and what is in it. */
  readonly caFile: string
  readonly ca: string
}

/** Starts a Redis that speaks TLS alone. */
export async function startSecureRedis(): Promise<SecureTestRedis> {
  const folder = await makeTemporaryFolder('pando-redis-tls-')
  const [key, caFile] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1']
  const name = ['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1']
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...name, '-keyout', key, '-out', caFile])
  const port = await freePort()
  const files = ['--tls-cert-file', caFile, '--tls-key-file', key, '--tls-ca-cert-file', caFile]
  const redis = await startRedis(['--port', '0', '--tls-port', String(port), ...files, '--tls-auth-clients', 'no'])
  return {
    ...redis,
    url: `rediss://127.0.0.1:${port}`,
    caFile,
    ca: await readFile(caFile, 'utf8'),
    stop: async () => {
      await redis.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
