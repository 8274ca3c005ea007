import { listFiles } from './source-files.ts'

/** A complaint unless the last line that oxlint or oxfmt printed (`Finished in 1.2s on 16 files …`) counts every TypeScript file. */
export function findLookedAway(printed: string): string[] {
  const looked = Number(/ on (\d+) files?\b[^\n]*$/.exec(printed)?.[1] ?? 0)
  const there = listFiles(/\.ts$/).length
  return looked >= there ? [] : [`it looked at ${looked} files; ${there} are there`]
}
