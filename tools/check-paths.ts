import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { listFiles, root } from './source-files.ts'

/** Paths that a document names in code spans (`libs/core/src/x.ts`) or links to ([x](../y.md)). */
export function pathsNamedIn(markdown: string): string[] {
  const text = markdown.replaceAll(/^```[\s\S]*?^```/gm, '')
  const spans = [
    ...text.matchAll(
      /`((?:contract|libs|services|apps|clients|examples|deploy|bench|docs|tools|\.ci)\/[^`\s*<>{}()…]*)`/g,
    ),
  ]
  const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)\s#]+)/g)]
  return [...spans, ...links].map((match) => match[1] as string)
}

/** Every path named in a document that does not exist, a line each; throws when no document names any path. */
export function checkPaths(): string[] {
  let seen = 0
  const missing: string[] = []
  for (const document of listFiles(/\.md$/)) {
    for (const path of pathsNamedIn(readFileSync(join(root, document), 'utf8'))) {
      seen += 1
      const candidates = [join(root, path), join(root, dirname(document), path)]
      if (!candidates.some((candidate) => existsSync(candidate)))
        missing.push(`${document}: names ${path}, which does not exist`)
    }
  }
  if (seen === 0) throw new Error('No document names a path: the check looked at nothing.')
  return missing
}
