import { CompactEncrypt, CompactSign, jwtVerify } from 'jose'
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { json, type Peer, type PeerAnswer, type PeerRequest, startPeer } from './peer.ts'

/** What a token says; members of `changes` to a verdict replace those of an honest one. */
export type Verdict = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** Google: its token endpoint, and its API that decodes tokens, on loopback. */
export type Google = {
  readonly peer: Peer
  /** The key file of an account that may decode. */
  readonly serviceAccount: string
  /** A token of a device, whose content only Google knows. */
  issue(verdict: Verdict): string
  /** What the API answers instead of decoding, until it is undefined again. */
  trouble: PeerAnswer | undefined
  /** How long access tokens are good, seconds. */
  lifetime: number
}

const account = 'pando@example.iam.gserviceaccount.com'

export async function startGoogle(): Promise<Google> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const tokens = new Map<string, Verdict>()
  const accessTokens = new Set<string>()

  async function grant({ body }: PeerRequest): Promise<PeerAnswer> {
    const form = new URLSearchParams(body)
    const audience = `${peer.url}/token`
    const known = { issuer: account, audience, algorithms: ['RS256'], requiredClaims: ['iat', 'exp', 'scope'] }
    const { payload, protectedHeader } = await jwtVerify(form.get('assertion') ?? '', publicKey, known)
    const isRight =
      form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer' &&
      payload['scope'] === 'https://www.googleapis.com/auth/playintegrity' &&
      protectedHeader.kid === 'key-1'
    if (!isRight) return json({ error: 'invalid_grant', error_description: 'Invalid JWT' }, 400)
    const token = `ya29.${randomBytes(12).toString('base64url')}`
    accessTokens.add(token)
    return json({ access_token: token, expires_in: google.lifetime, token_type: 'Bearer' })
  }

  function decode({ path, body, headers }: PeerRequest): PeerAnswer {
    if (google.trouble !== undefined) return google.trouble
    const packageName = /^\/v1\/([^/:]+):decodeIntegrityToken$/.exec(path)?.[1]
    if (!accessTokens.has(headers.authorization?.replace('Bearer ', '') ?? '') || packageName === undefined) {
      return json({ error: { code: 401, status: 'UNAUTHENTICATED' } }, 401)
    }
    const verdict = tokens.get((JSON.parse(body) as { integrity_token: string }).integrity_token)
    if (verdict === undefined) {
      const message = 'Integrity token cannot be decrypted due to invalid arguments.'
      return json({ error: { code: 400, message, status: 'INVALID_ARGUMENT' } }, 400)
    }
    return json({ tokenPayloadExternal: verdict })
  }

  const peer = await startPeer((request) => (request.path === '/token' ? grant(request) : decode(request)))
  const google: Google = {
    peer,
    serviceAccount: JSON.stringify({
      type: 'service_account',
      client_email: account,
      private_key_id: 'key-1',
      private_key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
      token_uri: `${peer.url}/token`,
    }),
    issue: (verdict) => {
      const token = randomBytes(48).toString('base64url')
      tokens.set(token, verdict)
      return token
    },
    trouble: undefined,
    lifetime: 3599,
  }
  return google
}

/** The keys that the Play Console gives to who wants to decode tokens themselves. */
export function createPlayKeys() {
  const decryption = createSecretKey(randomBytes(32))
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    decryptionKey: decryption.export().toString('base64'),
    verificationKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
    /** A token of a classic request: signed, then encrypted. */
    issue: async (verdict: Verdict): Promise<string> => {
      const encode = (text: string) => new TextEncoder().encode(text)
      const payload = encode(JSON.stringify(verdict))
      const signed = await new CompactSign(payload).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
      const header = { alg: 'A256KW', enc: 'A256GCM' }
      return new CompactEncrypt(encode(signed)).setProtectedHeader(header).encrypt(decryption)
    },
  }
}
