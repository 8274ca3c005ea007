import { existsSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'

import { ConfigurationError, readConfiguration } from '@pando/config/read-configuration'

import type { Cli } from '../cli.ts'
import { Failure } from '../failure.ts'
import { parseProjectFile } from './config.ts'
import type { ProjectFile } from './config.ts'
import { loadEnvironment } from './env-files.ts'
import type { Environment } from './env-files.ts'
import { findProject } from './find-project.ts'
import type { ProjectFolder } from './find-project.ts'
import { listKeyMistakes } from './keys.ts'
import { knownPaths, projectOptions } from './project-options.ts'
import type { ProjectValues } from './project-options.ts'
import { isTable } from './toml.ts'

/** A project folder that has been read. */
export type Project = ProjectFolder & {
  /** The settings that concern the folder itself. */
  readonly settings: ProjectValues
  /** What `config.toml` says, for the services' own options. */
  readonly file: ProjectFile
  readonly configFile: string
  readonly migrationsFolder: string
  /** The shell's variables over those of the project's `.env` files. */
  readonly environment: Environment
}

/**
 * Finds and reads the project the user means. Rejects with a `Failure` when there is none or `config.toml` has
 * mistakes.
 */
export async function loadProject(cli: Pick<Cli, 'environment' | 'workingFolder' | 'options'>): Promise<Project> {
  const start = resolve(cli.workingFolder, cli.options.project ?? '.')
  const folder = findProject(start, { upwards: cli.options.project === undefined })
  if (folder === undefined) throw noProject(start)
  const environment = loadEnvironment(cli.environment, [...new Set([folder.files, folder.root])])
  const configFile = join(folder.files, 'config.toml')
  const source = existsSync(configFile) ? readFileSync(configFile, 'utf8') : ''
  const { file, mistakes } = parseProjectFile(source, { kind: folder.kind, environment, knownPaths })
  const settings = readSettings(file)
  const own = [...mistakes, ...settings.mistakes, ...listKeyMistakes(file.table)]
  if (own.length > 0) throw configMistakes(shownPath(cli, configFile), [...own, ...(await listServerMistakes(file))])
  const migrationsFolder = join(folder.files, 'migrations')
  return {
    ...folder,
    settings: withKindDefaults(settings.values, folder.kind, file),
    file: withServerDefaults(file, folder.kind),
    environment,
    configFile,
    migrationsFolder,
  }
}

/** A path as the user would type it from where they are. */
export function shownPath(cli: Pick<Cli, 'workingFolder'>, path: string): string {
  const shown = relative(cli.workingFolder, path)
  if (shown === '') return '.'
  return shown.startsWith(join('..', '..')) ? path : shown
}

function readSettings(file: ProjectFile): { values: ProjectValues; mistakes: readonly string[] } {
  const groups = { project: projectOptions }
  try {
    return { values: readConfiguration(groups, { project: file.table }).project, mistakes: [] }
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    return { values: readConfiguration(groups, {}).project, mistakes: error.mistakes }
  }
}

/**
 * What the server's packages would say about the same file, so that the user hears everything at once. Only a file with
 * mistakes is worth loading them here; of one without, they say it when the server starts.
 */
async function listServerMistakes({ table }: ProjectFile): Promise<readonly string[]> {
  const { listConfigMistakes } = await import('../server/read-config.ts')
  return listConfigMistakes({ project: table })
}

/** Existing projects were written when every new table was granted to the API roles; new projects grant by hand. */
function withKindDefaults(
  values: ProjectValues,
  kind: ProjectFolder['kind'],
  { explicit }: ProjectFile,
): ProjectValues {
  if (kind === 'pando' || explicit.has('api.auto_expose_new_tables')) return values
  return { ...values, autoExposeNewTables: true }
}

/** Existing apps were written against servers that tell everybody the key of a deleted row. */
function withServerDefaults(file: ProjectFile, kind: ProjectFolder['kind']): ProjectFile {
  const realtime = file.table['realtime'] ?? {}
  if (kind === 'pando' || !isTable(realtime)) return file
  return { ...file, table: { ...file.table, realtime: { undecided_deletes: 'tell-key', ...realtime } } }
}

function noProject(start: string): Failure {
  if (!existsSync(start)) {
    return new Failure('project', `The folder ${start} does not exist.`, { remedy: 'Check --project.' })
  }
  return new Failure(
    'project',
    `No project in ${start}: it has neither pando/ nor supabase/ with a config.toml, migrations or seed.sql.`,
    { remedy: 'Make one with `pando init`, or name another folder with --project DIR.' },
  )
}

/** One failure that names them all. */
export function configMistakes(file: string, all: readonly string[]): Failure {
  // Some settings are read by more than one package.
  const mistakes = [...new Set(all)]
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
  return new Failure('project', `${file} has ${count}:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`, {
    remedy: `Correct ${file} and run the command again.`,
    facts: { file, mistakes },
  })
}
