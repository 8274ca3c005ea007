import { hash, randomBytes } from 'node:crypto'
import { hmacSigningKey, type SigningKey, signJwt } from './sign-jwt.ts'

/** The keys that a project's apps connect with. */
export type ProjectKeys = {
  readonly jwtSecret: string
  /** Legacy keys: JWTs with the roles `anon` and `service_role`. */
  readonly anonKey: string
  readonly serviceRoleKey: string
  /** Opaque keys for the same two roles. */
  readonly publishableKey: string
  readonly secretKey: string
}

/**
 * What every local project of this wire uses, so that existing apps connect as they are. Known to the whole world: good
 * for a listener on loopback only.
 */
export const demoJwtSecret = 'super-secret-jwt-token-with-at-least-32-characters-long'
const demoPublishableKey = 'sb_publishable_ACJWlzQHlZjBrEguHvfOxg_3BJgxAaH'
const demoSecretKey = 'sb_secret_N7UND0UgjKTVK-Uodkm0Hg_xSvEMPvz'
const demoExpiry = 1983812996

/**
 * The well-known keys of a local project, for the well-known secret or one that the project sets instead. The two that
 * are JWTs are signed with that secret, or with `signing` where the project has a key pair.
 */
export async function demoKeys(jwtSecret: string = demoJwtSecret, signing?: SigningKey): Promise<ProjectKeys> {
  const sign = (role: string): Promise<string> =>
    signJwt({ iss: 'supabase-demo', role, exp: demoExpiry }, signing ?? hmacSigningKey(jwtSecret))
  const [anonKey, serviceRoleKey] = await Promise.all([sign('anon'), sign('service_role')])
  return { jwtSecret, anonKey, serviceRoleKey, publishableKey: demoPublishableKey, secretKey: demoSecretKey }
}

const tenYearsSeconds = 10 * 365 * 86_400

/** New keys that nobody else has; `nowMs` is the wall clock. */
export async function generateKeys(nowMs: number): Promise<ProjectKeys> {
  const jwtSecret = randomBytes(48).toString('base64url')
  const iat = Math.floor(nowMs / 1000)
  const sign = (role: string): Promise<string> =>
    signJwt({ iss: 'pando', role, iat, exp: iat + tenYearsSeconds }, hmacSigningKey(jwtSecret))
  const [anonKey, serviceRoleKey] = await Promise.all([sign('anon'), sign('service_role')])
  return {
    jwtSecret,
    anonKey,
    serviceRoleKey,
    publishableKey: opaqueKey('publishable'),
    secretKey: opaqueKey('secret'),
  }
}

/** 128 random bits and eight letters of checksum, so that scanners tell a key from an accident. */
function opaqueKey(kind: 'publishable' | 'secret'): string {
  const random = randomBytes(16).toString('base64url')
  return `sb_${kind}_${random}_${hash('sha256', random, 'base64url').slice(0, 8)}`
}
