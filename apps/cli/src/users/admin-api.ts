import { Failure } from '../failure.ts'

/** A user as the admin API tells; what is empty is absent or ''. */
export type User = {
  readonly id: string
  readonly email: string
  readonly phone: string
  readonly created_at: string
  readonly last_sign_in_at?: string
  readonly confirmed_at?: string
  readonly invited_at?: string
  readonly banned_until?: string
  readonly is_anonymous: boolean
  readonly app_metadata: Readonly<Record<string, unknown>>
}

/** `/auth/v1/admin` of a running API, as somebody who may use it. */
export type AdminApi = {
  /** Rejects with a `Failure`; `code` is the API's own word for it. */
  ask(method: 'GET' | 'POST' | 'PUT', path: string, body?: unknown): Promise<Answered>
}

export type Answered = { readonly body: unknown; readonly headers: Headers }

/** The API said no. */
export class ApiRefusal extends Failure {
  readonly code: string
  readonly status: number

  constructor(status: number, { code, message }: { code: string; message: string }) {
    const remedy = status === 401 || status === 403 ? 'Use the secret key (`pando keys` prints SECRET_KEY).' : undefined
    super('api', `The API refuses: ${message} (${status} ${code}).`, { remedy, facts: { status, code } })
    this.code = code
    this.status = status
  }
}

const timeoutMs = 30_000

export function createAdminApi({ url, key }: { url: string; key: string }): AdminApi {
  return {
    async ask(method, path, body) {
      const response = await reach(url, `${url}/auth/v1${path}`, {
        method,
        headers: { apikey: key, 'Content-Type': 'application/json', 'X-Supabase-Api-Version': '2024-01-01' },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(timeoutMs),
        redirect: 'error',
      })
      const text = await response.text()
      if (response.ok) return { body: text === '' ? undefined : parse(url, text), headers: response.headers }
      throw new ApiRefusal(response.status, toReason(text))
    },
  }
}

async function reach(url: string, address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init)
  } catch (error) {
    const { cause, message } = error as Error
    throw new Failure(
      'api',
      `The API at ${url} does not answer: ${cause instanceof Error ? cause.message : message}.`,
      {
        remedy: 'Check the address (--url), and that the API runs there.',
        cause: error,
      },
    )
  }
}

function parse(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Failure('api', `What answers at ${url} is no API of this kind.`, { remedy: 'Check the address (--url).' })
  }
}

function toReason(text: string): { code: string; message: string } {
  try {
    const { code, message, detail } = JSON.parse(text) as Record<string, unknown>
    return { code: String(code ?? 'unknown'), message: String(message ?? detail ?? 'it does not say why') }
  } catch {
    return { code: 'unknown', message: text.slice(0, 200) || 'it does not say why' }
  }
}
