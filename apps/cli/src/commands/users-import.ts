import { resolve } from 'node:path'

import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { formatCount } from '../terminal/format.ts'
import { showProgress } from '../terminal/progress-bar.ts'
import { connectToApi } from '../users/connect.ts'
import type { ApiOptions } from '../users/connect.ts'
import { importUsers } from '../users/import-users.ts'
import type { Refused } from '../users/import-users.ts'
import { readRecords } from '../users/read-records.ts'
import { toNewUser } from '../users/to-new-user.ts'

type ImportOptions = ApiOptions & {
  readonly file: string
  readonly confirmed?: boolean
  readonly firebaseSignerKey?: string
  readonly firebaseSaltSeparator: string
  readonly firebaseRounds: number
  readonly firebaseMemory: number
}

/** `pando users import`: the users of another system with their password hashes; who is there already is left alone. */
export async function runUsersImport(cli: Cli, options: ImportOptions): Promise<void> {
  const records = readRecords(resolve(cli.workingFolder, options.file))
  const rules = { confirmed: options.confirmed === true, firebase: toHashing(options) }
  const api = await connectToApi(cli, options)
  const bar = await showProgress(cli.terminal, 'Users', records.length)
  const imported = await importUsers(api, {
    records,
    toNewUser: (fields) => toNewUser(fields, rules),
    onUser: bar.advance,
  }).finally(bar.stop)
  const { created, existing, refused } = imported
  const summary = `${formatCount(created, 'user')} created, ${existing} there already`
  if (refused.length > 0) throw toFailure(options.file, summary, { ...imported })
  cli.terminal.result({ created, existing, refused: 0 }, () => `${summary}.`)
}

function toHashing(options: ImportOptions) {
  const { firebaseSignerKey: signerKey, firebaseSaltSeparator: saltSeparator } = options
  if (signerKey === undefined) return undefined
  return { signerKey, saltSeparator, rounds: options.firebaseRounds, memoryCost: options.firebaseMemory }
}

const shownMax = 20

function toFailure(file: string, summary: string, facts: { readonly refused: readonly Refused[] }): Failure {
  const { refused } = facts
  const lines = refused.slice(0, shownMax).map(({ place, reason }) => `  ${file}, ${place}: ${reason}`)
  const rest = refused.length > shownMax ? [`  and ${refused.length - shownMax} more (--json lists all)`] : []
  const title = `${formatCount(refused.length, 'user')} of ${file} could not be imported (${summary}):`
  return new Failure('usage', [title, ...lines, ...rest].join('\n'), {
    remedy: 'Correct them and run it again: users who are there are left alone.',
    facts,
  })
}
