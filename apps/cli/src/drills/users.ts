import { randomUUID } from 'node:crypto'

import type { ProjectKeys } from '@pando/http/auth/api-keys'
import { hmacSigningKey, signJwt } from '@pando/http/auth/sign-jwt'

/** What somebody sends who has signed in; nobody knows them but by their token. */
export async function toUserHeaders({ jwtSecret, anonKey }: ProjectKeys): Promise<Record<string, string>> {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { sub: randomUUID(), role: 'authenticated', aud: 'authenticated', iat, exp: iat + 86_400 }
  return { apikey: anonKey, authorization: `Bearer ${await signJwt(claims, hmacSigningKey(jwtSecret))}` }
}
