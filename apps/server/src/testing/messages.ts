import { type Api, ask, type Received, startApi } from './start-api.ts'

let people = 0

/** Of somebody whom no test of the file has met. */
export const newAddress = (): string => `person${++people}@example.com`
export const newPhone = (): string => `49151${String(++people).padStart(7, '0')}`

/** Where addresses have to be confirmed, and nobody waits for the next message. */
export const startConfirmingApi = (environment: Readonly<Record<string, string>> = {}): Promise<Api> =>
  startApi({
    sql: '',
    environment: { PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true', PANDO_AUTH_EMAIL_FREQUENCY: '0', ...environment },
  })

/** What the SDK has no method for, as a stranger. The path is below `/auth/v1`. */
export const askAuth = (api: Api, path: string, body?: unknown): Promise<Received> =>
  ask(`${api.url}/auth/v1${path}`, { body, headers: { apikey: api.keys.anonKey } })

/** What stands in the last message to somebody. */
export const codeTo = async (api: Api, address: string): Promise<string> => (await api.mails(address))[0]!.code!
export const linkTo = async (api: Api, address: string): Promise<string> => (await api.mails(address))[0]!.link!
export const codeByText = async (api: Api, phone: string): Promise<string> => (await api.texts(phone))[0]!.code!

/** Where the link of a message leads. */
export const follow = async (link: string): Promise<URL> => new URL((await ask(link)).headers.get('location')!)
