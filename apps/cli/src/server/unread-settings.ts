import { serverGroups } from '@pando/server/config'

import { toStranger } from '../project/config.ts'
import type { ProjectFile } from '../project/config.ts'
import { keyPaths } from '../project/keys.ts'

/** What the commands read themselves, or what is so anyway. */
const ownPaths = [...keyPaths, 'auth.signing_keys_path', 'auth.enabled']

/** All that is read below `[auth]`; an option that is a table reads whatever is in it. */
const readPaths: readonly string[] = [
  ...ownPaths,
  ...Object.values(serverGroups).flatMap(({ options }) => Object.values(options).flatMap(({ toml }) => toml ?? [])),
].filter((path) => path.startsWith('auth.'))

/** Keys below `[auth]` that nobody reads: misspelt, or of a feature that is not here. */
export function listUnreadAuthSettings({ explicit }: ProjectFile): string[] {
  const isRead = (path: string) => readPaths.some((known) => path === known || path.startsWith(`${known}.`))
  return [...explicit].filter((path) => path.startsWith('auth.') && !isRead(path))
}

/** The same as sentences, with what was probably meant. */
export const describeUnread = (paths: readonly string[]): readonly string[] =>
  paths.map((path) => toStranger(path, readPaths))
