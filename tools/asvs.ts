import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './source-files.ts'

/**
 * How one requirement of OWASP ASVS 5.0 (level 1 or 2) is met: by tests (`file: title`), not at all yet (`missing`), or
 * not by a server like this one (`because`).
 */
type Requirement = {
  readonly id: string
  readonly level: 1 | 2
  /** The requirement in our words. */
  readonly says: string
  readonly tests?: readonly string[]
  readonly missing?: string
  readonly because?: string
}

type Chapter = { readonly title: string; readonly requirements: readonly Requirement[] }

const source = 'docs/security/asvs.json'

const readChapters = (): Chapter[] => JSON.parse(readFileSync(join(root, source), 'utf8')) as Chapter[]

/** Requirements without a word on how they are met, and tests that do not exist, a line each. */
export function checkAsvs(chapters: readonly Chapter[] = readChapters()): string[] {
  const requirements = chapters.flatMap((chapter) => chapter.requirements)
  if (requirements.length === 0) throw new Error(`${source} has no requirement: the check looked at nothing.`)
  return requirements.flatMap(({ id, tests = [], missing, because }) => [
    ...(tests.length === 0 && missing === undefined && because === undefined
      ? [`${source}: ${id} names no test, and no reason why there is none`]
      : []),
    ...tests
      .filter((test) => !exists(test))
      .map((test) => `${source}: ${id} names a test that does not exist: ${test}`),
  ])
}

function exists(test: string): boolean {
  const [, file, title] = /^(\S+): (.+)$/.exec(test) ?? []
  if (file === undefined || title === undefined) return false
  try {
    const text = readFileSync(join(root, file), 'utf8')
    return [`'${title.replaceAll("'", String.raw`\'`)}'`, `"${title}"`, `\`${title}\``].some((quoted) =>
      text.includes(quoted),
    )
  } catch {
    return false
  }
}

/** The table of `docs/generated/asvs.md`. */
export function renderAsvs(): string {
  const lines = readChapters().flatMap(({ title, requirements }) => [
    `## ${title}`,
    '',
    '| id | level | requirement | met by |',
    '| --- | --- | --- | --- |',
    ...requirements.map((one) => `| ${one.id} | ${one.level} | ${one.says} | ${describe(one)} |`),
    '',
  ])
  return [
    '# OWASP ASVS 5.0, levels 1 and 2',
    '',
    `Written by \`npm run generate\` from \`${source}\`.`,
    '',
    ...lines,
  ].join('\n')
}

function describe({ tests = [], missing, because }: Requirement): string {
  const named = tests.map((test) => test.replace(/^(\S+): (.+)$/, '`$1`: $2'))
  return [
    ...named,
    ...(missing === undefined ? [] : [`**missing**: ${missing}`]),
    ...(because ? [`does not apply: ${because}`] : []),
  ].join('<br>')
}
