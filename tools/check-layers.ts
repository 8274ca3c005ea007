import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { parseSync } from 'oxc-parser'
import { listFiles, root } from './source-files.ts'

/** The floors of the house, lowest first; a file imports only from its own package or from floors below. */
const floors = ['contract', 'libs', 'services', 'apps', 'clients', 'examples'] as const

export type Import = { readonly file: string; readonly specifier: string }

/** `services/rest` for `services/rest/src/plan/x.ts`; `contract` and `tools` are packages themselves. */
export function packageOf(file: string): string {
  const [floor = '', name = ''] = file.split('/')
  return floor === 'contract' || floor === 'tools' ? floor : `${floor}/${name}`
}

/**
 * What is wrong with one import, or undefined. `packageFolders` maps the name of a workspace package to its folder.
 */
export function refuseImport(
  { file, specifier }: Import,
  packageFolders: ReadonlyMap<string, string>,
): string | undefined {
  const own = packageOf(file)
  const floor = floors.indexOf(own.split('/')[0] as (typeof floors)[number])
  const isTest = /\.test\.ts$|\/testing\//.test(file)
  if (floor === -1) return undefined
  if (specifier.startsWith('.')) {
    const target = packageOf(normalize(join(dirname(file), specifier)))
    return target === own ? undefined : `leaves its package by a relative path: ${specifier}`
  }
  if (specifier.startsWith('node:')) {
    const isOnPhones = own === 'contract' || (own.startsWith('clients/') && !isTest)
    return isOnPhones ? `${own} also runs on a phone and must not use ${specifier}` : undefined
  }
  if (specifier === 'jose' && own !== 'libs/http' && !isTest) return 'only libs/http handles JWTs'
  const target = packageFolders.get(specifier.split('/').slice(0, 2).join('/'))
  if (target === undefined || target === own) return undefined
  const targetFloor = floors.indexOf(target.split('/')[0] as (typeof floors)[number])
  if (own.startsWith('clients/') && !isTest && target !== 'contract')
    return `imports ${specifier}: clients import contract alone`
  if (targetFloor > floor) return `imports ${specifier}, which is a floor above`
  if (targetFloor === floor && own.startsWith('services/')) return `imports ${specifier}: no service imports another`
  return undefined
}

/** All imports of a TypeScript file, types included. */
export function importsOf(file: string, source: string): Import[] {
  const { module, errors } = parseSync(file, source)
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message}`)
  const specifiers = [
    ...module.staticImports.map((found) => found.moduleRequest.value),
    ...module.staticExports.flatMap((found) => found.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...module.dynamicImports.map((found) =>
      source.slice(found.moduleRequest.start, found.moduleRequest.end).replaceAll(/^['"`]|['"`]$/g, ''),
    ),
  ]
  return specifiers.map((specifier) => ({ file, specifier }))
}

/** Every breach of the floors, a line each; throws when it found nothing to look at. */
export function checkLayers(): string[] {
  const packageFolders = new Map(
    listFiles(/^(contract|(libs|services|apps|clients|examples)\/[^/]+)\/package\.json$/).map((file) => [
      (JSON.parse(readFileSync(join(root, file), 'utf8')) as { name: string }).name,
      dirname(file),
    ]),
  )
  const breaches: string[] = []
  let seen = 0
  for (const file of listFiles(/^(contract|libs|services|apps|clients|examples)\/.*\.ts$/)) {
    const source = readFileSync(join(root, file), 'utf8')
    for (const found of importsOf(file, source)) {
      seen += 1
      const refusal = refuseImport(found, packageFolders)
      if (refusal !== undefined) breaches.push(`${file}: ${refusal}`)
    }
    if (
      /\bprocess\.env\b/.test(source) &&
      !/^apps\/[^/]+\/src\/main\.ts$|\.test\.ts$|\/testing\/|^examples\//.test(file)
    ) {
      breaches.push(`${file}: only apps/*/src/main.ts reads process.env`)
    }
  }
  if (seen === 0) throw new Error('The layer check saw no import.')
  return breaches
}
