import { ConfigurationError } from '@pando/config/read-configuration'

/** What a template may name; `Data` also by its members (`.Data.first_name`). */
export type Variables = ReadonlySet<string>

const tag = /\{\{(.*?)(?:\}\}|$)/gs
const variable = /^\s*\.([A-Z]\w*)((?:\.\w+)*)\s*$/

/**
 * Translates a template of an existing project, `{{ .ConfirmationURL }}`, to ours. Variables alone are known: a
 * template that calculates, repeats or decides is refused, and so is a variable in an attribute without quotes, which a
 * value could leave.
 *
 * @throws ConfigurationError with the place of the first mistake, for example `invite.html:12`
 */
export function translateTemplate(source: string, place: string, variables: Variables): string {
  return source.replaceAll(tag, (whole, inside: string, offset: number) => {
    const refuse = (reason: string): never => {
      const line = source.slice(0, offset).split('\n').length
      throw new ConfigurationError([`${place}:${line}: ${whole.split('\n')[0]!.trim()} ${reason}`])
    }
    const [, name, members = ''] = variable.exec(inside) ?? []
    if (name === undefined || !whole.endsWith('}}'))
      return refuse('is no variable; a template holds variables such as {{ .ConfirmationURL }} and nothing else of Go')
    if (!variables.has(name) || (members !== '' && name !== 'Data'))
      return refuse(`is unknown here; there are ${[...variables].map((known) => `.${known}`).join(', ')}`)
    if (/<[^>]*=\s*$/.test(source.slice(Math.max(0, offset - 500), offset)))
      return refuse('must stand between quotes: it is the value of an attribute')
    return `{{${name}${members}}}`
  })
}
