import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectOptions } from '@pando/cli/project/project-options'
import { renderConfigurationDoc, renderEnvExample } from '@pando/config/render-documents'
import { serverGroups } from '@pando/server/config'
import { renderAsvs } from './asvs.ts'
import { root } from './source-files.ts'

/** Documents that are written from the code; each is committed, and the check fails when it differs. */
const groups = [...Object.values(serverGroups), projectOptions]
const documents: readonly { readonly path: string; readonly render: () => string }[] = [
  { path: 'docs/generated/configuration.md', render: () => renderConfigurationDoc(groups) },
  { path: 'docs/generated/asvs.md', render: renderAsvs },
  { path: '.env.example', render: () => renderEnvExample(Object.values(serverGroups)) },
]

/** The generated documents that differ from what the code says now, a line each. */
export function checkGenerated(): string[] {
  return documents
    .filter(({ path, render }) => readIfThere(path) !== render())
    .map(({ path }) => `${path} is not up to date: run npm run generate`)
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8')
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  for (const { path, render } of documents) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), render())
    console.log(path)
  }
}
