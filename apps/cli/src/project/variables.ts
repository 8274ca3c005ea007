import type { ProjectKeys } from '@pando/http/auth/api-keys'

/** The keys under the names that scripts of existing projects read. */
export function keyVariables(keys: ProjectKeys): Record<string, string> {
  return {
    ANON_KEY: keys.anonKey,
    SERVICE_ROLE_KEY: keys.serviceRoleKey,
    PUBLISHABLE_KEY: keys.publishableKey,
    SECRET_KEY: keys.secretKey,
    JWT_SECRET: keys.jwtSecret,
  }
}

/** Lines of a `.env` file. Quotes keep `#`, blanks and `$` as they are. */
export function renderEnv(variables: Readonly<Record<string, string>>): string {
  return Object.entries(variables)
    .map(([name, value]) => `${name}="${value}"`)
    .join('\n')
}
