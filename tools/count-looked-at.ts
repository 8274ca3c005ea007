import { listFiles } from './source-files.ts'

/**
 * A complaint unless the last line that oxlint, oxfmt or knip printed (`Finished in 1.2s on 16 files …`) counts every
 * TypeScript file, or all of those that `pattern` matches.
 */
export function findLookedAway(printed: string, pattern = /\.ts$/): string[] {
  const looked = Number(/ on (\d+) files?\b[^\n]*$/.exec(printed)?.[1] ?? 0)
  const there = listFiles(pattern).length
  return looked >= there ? [] : [`it looked at ${looked} files; ${there} are there`]
}
