import type { MemberOption, Option } from './option.ts'
import { envName, flagName, type Options } from './options.ts'
import { formatOption, memberName } from './parse-option.ts'

const kinds: Record<Option['type'], string> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  boolean: '`true` or `false`',
  duration: 'duration (`250ms`, `30s`, `5m`, `2h`, `7d`)',
  bytes: 'size (`64kb`, `50mb`, `1gb`)',
  enum: 'one of',
  list: 'list, comma-separated',
  secret: 'secret',
  url: 'URL',
  tables: 'tables `[[…]]`, elsewhere a JSON array of objects',
}

/** The page `docs/generated/configuration.md`: every option with its names, kind, default and text. */
export function renderConfigurationDoc(groups: readonly Options[]): string {
  const head = [
    '# Configuration',
    '',
    'Every option, written from the tables that the code reads. A flag outranks an environment variable, that outranks',
    "the project's `config.toml`, and that outranks the default. All mistakes are reported together at start.",
  ]
  return `${[...head, ...groups.flatMap(renderGroup)].join('\n')}\n`
}

function renderGroup(group: Options): string[] {
  const entries = Object.entries(group.options)
  return [
    '',
    `## ${group.prefix}`,
    '',
    group.text,
    ...entries.flatMap(([name, option]) => renderEntry(group, name, option)),
  ]
}

function renderEntry({ prefix }: Options, name: string, option: Option): string[] {
  const places = [
    `\`--${flagName(prefix, name, option)}\``,
    ...(option.toml ? [`\`${option.toml}\` in config.toml`] : []),
  ]
  const kind = option.type === 'enum' ? `one of ${option.values.map(code).join(', ')}` : kinds[option.type]
  const value = formatOption(option.type, option.default)
  return [
    '',
    `### \`${envName(prefix, name, option)}\``,
    '',
    option.text,
    '',
    `Also ${places.join(' or ')} · ${kind}${limits(option)} · default ${value === '' ? 'none' : code(value)}`,
    ...(option.type === 'tables' ? ['', ...Object.entries(option.members).map(renderMember)] : []),
  ]
}

function renderMember([name, member]: [string, MemberOption]): string {
  const value = formatOption(member.type, member.default)
  const must = member.required ? 'required' : `default ${value === '' ? 'none' : code(value)}`
  return `- \`${memberName(name)}\`: ${member.text} ${kinds[member.type]} · ${must}`
}

const code = (text: string): string => `\`${text}\``

function limits(option: Option): string {
  const { min, max } = option as { min?: number; max?: number }
  const write = (value: number): string => code(formatOption(option.type, value) || '0')
  if (min !== undefined && max !== undefined) return `, ${write(min)} to ${write(max)}`
  if (min !== undefined) return `, at least ${write(min)}`
  return max === undefined ? '' : `, at most ${write(max)}`
}

/** The file `.env.example`: every variable, commented out, with its default. */
export function renderEnvExample(groups: readonly Options[]): string {
  const head = '# Every variable that Pando reads, with its default. Copy to .env and uncomment what you change.'
  const bodies = groups.map((group) =>
    Object.entries(group.options)
      .map(([name, option]) => {
        const assignment = `${envName(group.prefix, name, option)}=${formatOption(option.type, option.default)}`
        return `# ${option.text.replaceAll('\n', ' ')}\n#${assignment}`
      })
      .join('\n'),
  )
  return `${[head, ...bodies].join('\n\n')}\n`
}
