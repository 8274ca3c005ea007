import { startEmbeddedPostgres, type EmbeddedPostgresOptions } from '../embedded/start.ts'

/**
 * A program for tests that kill it: starts a cluster with the options given as JSON, writes one line of JSON (what
 * started, or the error's code and message), and runs until it is ended.
 */
const options = JSON.parse(process.argv[2] ?? '') as EmbeddedPostgresOptions
try {
  const server = await startEmbeddedPostgres(options)
  process.on('SIGTERM', () => void server.stop())
  process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid, socketFolder: server.socketFolder })}\n`)
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  process.stdout.write(`${JSON.stringify({ code, message })}\n`)
}
