import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { ConfigurationError } from '@pando/config/read-configuration'
import type { AuthOptions } from '../../config.ts'
import type { MailKind, NoticeKind } from '../../messages.ts'
import { templateOptionNames } from '../config.ts'
import { translateTemplate, type Variables } from './go-template.ts'

/** What a project says in words of its own; each member is a template. */
export type ProjectTemplates = Partial<
  Readonly<Record<MailKind | NoticeKind, { readonly subject?: string; readonly html?: string }>>
>

const always = ['SiteURL', 'Email', 'Data']
const withCode = [...always, 'ConfirmationURL', 'Token', 'TokenHash', 'RedirectTo', 'SendingTo', 'NewEmail']

const variablesOf: Readonly<Record<MailKind | NoticeKind, Variables>> = {
  confirmation: new Set(withCode),
  invite: new Set(withCode),
  recovery: new Set(withCode),
  magic_link: new Set(withCode),
  email_change: new Set(withCode),
  reauthentication: new Set(withCode),
  password_changed: new Set(always),
  email_changed: new Set([...always, 'OldEmail']),
  phone_changed: new Set([...always, 'Phone', 'OldPhone']),
  identity_linked: new Set([...always, 'Provider']),
  identity_unlinked: new Set([...always, 'Provider']),
  mfa_factor_enrolled: new Set([...always, 'FactorType']),
  mfa_factor_unenrolled: new Set([...always, 'FactorType']),
}

/** Reads the project's templates. @throws ConfigurationError with each that is missing or says more than variables */
export function readProjectTemplates(options: AuthOptions): ProjectTemplates {
  const mistakes: string[] = []
  const templates: Record<string, ProjectTemplates[MailKind]> = {}
  for (const [kind, variables] of Object.entries(variablesOf) as [MailKind | NoticeKind, Variables][]) {
    const names = templateOptionNames(kind)
    const subject = options[names.subject]
    const path = options[names.contentPath]
    try {
      templates[kind] = {
        subject: subject ? translateTemplate(subject, `subject of ${kind}`, variables) : undefined,
        html: path ? readTemplate(path, options.emailTemplateFolders, variables) : undefined,
      }
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error
      mistakes.push(...error.mistakes)
    }
  }
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return templates
}

function readTemplate(path: string, folders: readonly string[], variables: Variables): string {
  const candidates = folders.map((folder) => resolve(folder, path))
  const file = candidates.find((candidate) => existsSync(candidate))
  if (file === undefined)
    throw new ConfigurationError([
      `The template ${path} is not there: looked for ${candidates.join(', ')}. Correct its content_path.`,
    ])
  return translateTemplate(readFileSync(file, 'utf8'), path, variables)
}
