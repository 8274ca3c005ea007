import type { ProjectKeys } from '@pando/http/auth/api-keys'
import { formatDuration } from '../terminal/format.ts'
import type { Terminal } from '../terminal/terminal.ts'

/** What `pando dev` says when everything answers. */
export type Ready = {
  readonly version: string
  readonly project: string
  readonly apiUrl: string
  readonly databaseUrl: string
  readonly keys: ProjectKeys
  readonly readyMs: number
}

export function renderSummary({ paint }: Terminal, ready: Ready): string {
  const line = (name: string, value: string, note = '') =>
    `  ${paint('dim', name.padEnd(16))}${value}${note === '' ? '' : paint('dim', `  ${note}`)}`
  return [
    '',
    `  ${paint(['green', 'bold'], 'Pando')} ${ready.version} ${paint('dim', 'ready in')} ${formatDuration(ready.readyMs)}`,
    '',
    line('API', paint(['cyan', 'underline'], ready.apiUrl), 'open it in a browser'),
    line('Mailbox', `${ready.apiUrl}/mailbox`, 'the mails and codes of your app'),
    line('Database', ready.databaseUrl),
    line('Project', ready.project),
    '',
    line('Publishable key', ready.keys.publishableKey, 'for apps'),
    line('Secret key', ready.keys.secretKey, 'for your servers'),
    line('All keys', 'pando keys'),
    '',
    `  ${paint('dim', 'Saved migrations are applied at once. Ctrl-C stops.')}`,
    '',
  ].join('\n')
}
