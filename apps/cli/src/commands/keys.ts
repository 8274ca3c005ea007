import { parseSigningKeys } from '@pando/http/auth/sign-jwt'

import type { Cli } from '../cli.ts'
import { ensureKeys } from '../project/keys.ts'
import { loadProject } from '../project/load-project.ts'
import type { Project } from '../project/load-project.ts'
import { endOf, ensureSigningKeys } from '../project/signing-keys.ts'
import { keyVariables } from '../project/variables.ts'
import { formatTable } from '../terminal/format.ts'

/** `pando keys`: the keys that apps and servers connect with, and those that sign tokens. */
export async function runKeys(cli: Cli): Promise<void> {
  await printKeys(cli, await loadProject(cli))
}

export async function printKeys(cli: Cli, project: Project): Promise<void> {
  const variables = keyVariables(await ensureKeys(project, cli.now()))
  const signing = listSigningKeys(project, cli.now())
  cli.terminal.result({ ...variables, SIGNING_KEYS: signing }, () =>
    [
      ...Object.entries(variables).map(([name, value]) => `${name.padEnd(16)}  ${value}`),
      '',
      ...(signing.length === 0 ? ['JWT_SECRET signs access tokens (HS256).'] : signingTable(signing)),
    ].join('\n'),
  )
}

type ShownKey = {
  readonly kid: string | null
  readonly alg: string
  readonly state: 'signs' | 'verifies' | 'over'
  /** When it stops to verify; null for a key that stays. */
  readonly until: string | null
}

function listSigningKeys(project: Project, now: Date): ShownKey[] {
  return parseSigningKeys(ensureSigningKeys(project) ?? '[]').map((pair, place) => {
    const end = endOf(pair)
    const isOver = end !== undefined && end * 1000 < now.getTime()
    return {
      kid: pair.kid ?? null,
      alg: pair.alg,
      state: place === 0 ? 'signs' : isOver ? 'over' : 'verifies',
      until: end === undefined ? null : new Date(end * 1000).toISOString(),
    }
  })
}

function signingTable(keys: readonly ShownKey[]): string[] {
  const until = (text: string | null) => (text === null ? '' : `${text.slice(0, 16).replace('T', ' ')} UTC`)
  return formatTable(
    ['Signing key', 'Algorithm', 'State', 'Until'],
    keys.map(({ kid, alg, state, until: end }) => [kid ?? '', alg, state, until(end)]),
  )
}
