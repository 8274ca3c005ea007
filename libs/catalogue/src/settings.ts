/** `name=value`, as `pg_proc.proconfig` and `pg_roles.rolconfig` keep a setting. */
export function toSetting(text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=')
  return [text.slice(0, at), text.slice(at + 1)]
}

const prefix = 'pgrst.'

/** Settings `pgrst.<name>=value` by name; of two with the same name the later one wins. */
export function toInDatabaseConfig(settings: readonly string[]): ReadonlyMap<string, string> {
  return new Map(settings.map((setting) => toSetting(setting.slice(prefix.length))))
}
