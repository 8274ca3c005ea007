import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientId, clientSecret, type IdentityProvider, startIdentityProvider } from './testing/identity-provider.ts'
import { type Api, ask, startApi } from './testing/start-api.ts'

/**
 * Steps of a story before the owner proves the address, stories, and their seed: a story that fails can be told again.
 */
const stepsMax = 8
const stories = Number(process.env['PANDO_TEST_STORIES'] ?? 60)
/** Stories that are told at once: most of their time is waiting for the tick at which answers are given. */
const tellersMax = 20

const providers = ['first', 'second'] as const
type ProviderName = (typeof providers)[number]

const nodes: Partial<Record<'confirming' | 'trusting' | 'forgetful', Api>> = {}
const identityProviders = new Map<ProviderName, IdentityProvider>()

beforeAll(async () => {
  for (const name of providers) {
    identityProviders.set(name, await startIdentityProvider(() => 'http://127.0.0.1/callback'))
  }
  const oidc = providers.map((name) => ({
    name,
    issuer: identityProviders.get(name)!.issuer,
    client_id: [clientId],
    secret: clientSecret,
  }))
  const environment = {
    PANDO_AUTH_EXTERNAL_OIDC: JSON.stringify(oidc),
    PANDO_AUTH_EMAIL_FREQUENCY: '0',
  }
  nodes.confirming = await startApi({
    sql: '',
    environment: { ...environment, PANDO_AUTH_EMAIL_CONFIRMATIONS: 'true' },
  })
  nodes.trusting = await startApi({ sql: '', environment })
  nodes.forgetful = await startApi({ sql: passwordsSurvive, environment })
})

afterAll(async () => {
  for (const node of Object.values(nodes)) await node?.stop()
  for (const provider of identityProviders.values()) await provider.stop()
})

/** A planted mistake: what takes a password away does not. */
const passwordsSurvive = `
  create function keep_password() returns trigger language plpgsql as $$
  begin
    if new.encrypted_password = '' then new.encrypted_password := old.encrypted_password; end if;
    return new;
  end $$;
  create trigger keep_password before update on auth.users for each row execute function keep_password()`

type Session = { readonly access_token: string; readonly refresh_token: string; readonly user: { readonly id: string } }

/** One address, the one whose it is, and one who wants in. */
class Story {
  readonly email: string
  readonly #api: Api
  /** Whatever the attacker ever got. */
  readonly #loot: Session[] = []
  static #told = 0

  constructor(api: Api) {
    this.#api = api
    this.email = `victim${++Story.#told}@example.com`
  }

  async #post(path: string, body: unknown): Promise<Session | undefined> {
    const { body: answer } = await ask(`${this.#api.url}/auth/v1${path}`, {
      body,
      headers: { apikey: this.#api.keys.anonKey },
    })
    const session = answer as Partial<Session>
    return session.refresh_token === undefined ? undefined : (session as Session)
  }

  signUp(password: string): Promise<Session | undefined> {
    return this.#post('/signup', { email: this.email, password })
  }

  signIn(password: string): Promise<Session | undefined> {
    return this.#post('/token?grant_type=password', { email: this.email, password })
  }

  async byProvider(name: ProviderName, person: string, isVerified: boolean): Promise<Session | undefined> {
    const claims = { sub: `${person} of ${this.email}`, email: this.email, email_verified: isVerified }
    const token = await identityProviders.get(name)!.sign(claims)
    return this.#post('/token?grant_type=id_token', { provider: `custom:${name}`, id_token: token })
  }

  askForCode(): Promise<unknown> {
    return this.#post('/otp', { email: this.email })
  }

  askForRecovery(): Promise<unknown> {
    return this.#post('/recover', { email: this.email })
  }

  askForConfirmation(): Promise<unknown> {
    return this.#post('/resend', { email: this.email, type: 'signup' })
  }

  /** Only the owner reads the mails. */
  async typeCode(): Promise<Session | undefined> {
    const [mail] = await this.#api.mails(this.email)
    return this.#post('/verify', { email: this.email, token: mail?.code, type: 'email' })
  }

  async openLink(): Promise<Session | undefined> {
    const [mail] = await this.#api.mails(this.email)
    if (mail?.link === undefined) return undefined
    const landed = new URL((await ask(mail.link)).headers.get('location')!)
    const session = Object.fromEntries(new URLSearchParams(landed.hash.slice(1)))
    if (session['access_token'] === undefined) return undefined
    const { data } = await this.#api.client().auth.getUser(session['access_token'])
    return { access_token: session['access_token'], refresh_token: session['refresh_token']!, user: data.user! }
  }

  async keep(session: Promise<Session | undefined>): Promise<void> {
    const got = await session
    if (got !== undefined) this.#loot.push(got)
  }

  /** Accounts that the attacker is in, by whatever way. */
  async accountsOfAttacker(): Promise<Set<string>> {
    const tries = [
      this.signIn(attackersPassword),
      ...providers.map((name) => this.byProvider(name, 'attacker', false)),
      ...this.#loot.map(({ refresh_token }) => this.#post('/token?grant_type=refresh_token', { refresh_token })),
    ]
    const got = (await Promise.all(tries)).flatMap((session) => session?.user.id ?? [])
    const live = await Promise.all(
      this.#loot.map(async ({ access_token }) => (await this.#api.client().auth.getUser(access_token)).data.user?.id),
    )
    return new Set([...got, ...live.filter((id) => id !== undefined)])
  }
}

const attackersPassword = 'the password of the attacker'
const ownersPassword = 'the password of the owner'

type Step<Result = unknown> = { readonly name: string; readonly run: (story: Story) => Promise<Result> }

const attacks: readonly Step[] = [
  { name: 'attacker signs up', run: (story) => story.keep(story.signUp(attackersPassword)) },
  { name: 'attacker signs in', run: (story) => story.keep(story.signIn(attackersPassword)) },
  ...providers.map((name) => ({
    name: `attacker comes from the ${name} provider with the address unverified`,
    run: (story: Story) => story.keep(story.byProvider(name, 'attacker', false)),
  })),
  { name: 'attacker asks for a code', run: (story) => story.askForCode() },
  { name: 'attacker asks for a recovery', run: (story) => story.askForRecovery() },
  { name: 'attacker asks for a confirmation', run: (story) => story.askForConfirmation() },
]

/** How the owner shows that the address is theirs: each begins with a request of their own. */
const proofs: readonly Step<Session | undefined>[] = [
  {
    name: 'owner asks for a code and types it',
    run: async (story) => {
      await story.askForCode()
      return story.typeCode()
    },
  },
  {
    name: 'owner asks for a link and opens it',
    run: async (story) => {
      await story.askForCode()
      return story.openLink()
    },
  },
  {
    name: 'owner recovers the account',
    run: async (story) => {
      await story.askForRecovery()
      return story.openLink()
    },
  },
  {
    name: 'owner signs up and opens the link',
    run: async (story) => {
      await story.signUp(ownersPassword)
      return story.openLink()
    },
  },
  ...providers.map((name) => ({
    name: `owner comes from the ${name} provider with the address verified`,
    run: (story: Story) => story.byProvider(name, 'owner', true),
  })),
]

const toText = (steps: readonly Step[]): string => steps.map(({ name }) => name).join(', ')

const story = fc.record({
  before: fc.array(fc.constantFrom(...attacks), { minLength: 1, maxLength: stepsMax }),
  proof: fc.constantFrom(...proofs),
  after: fc.array(fc.constantFrom(...attacks), { maxLength: 3 }),
})

/**
 * Tells the stories on a node, some at once; how often the owner was in, and the stories after which the attacker was
 * too.
 */
async function tellAll(api: Api): Promise<{ readonly proven: number; readonly lost: readonly string[] }> {
  const lost: string[] = []
  let proven = 0
  const all = fc.sample(story, { numRuns: stories, seed: 20_261_122 }).values()
  const tell = async (): Promise<void> => {
    for (const { before, proof, after } of all) {
      const told = new Story(api)
      for (const { run } of before) await run(told)
      const session = await proof.run(told)
      for (const { run } of after) await run(told)
      if (session === undefined) continue
      proven += 1
      const inside = await told.accountsOfAttacker()
      if (inside.has(session.user.id)) lost.push([before, [proof], after].map(toText).join('; '))
    }
  }
  await Promise.all(Array.from({ length: tellersMax }, tell))
  return { proven, lost }
}

test.each(['confirming', 'trusting'] as const)(
  'whatever somebody did with an address before, they are out once its owner has proven it (%s)',
  async (node) => {
    const { lost, proven } = await tellAll(nodes[node]!)
    expect(lost).toEqual([])
    // A checker that never saw an owner in their account has seen nothing.
    expect(proven).toBeGreaterThan(stories / 2)
  },
  120_000,
)

test('a password that survives is found', async () => {
  const { lost } = await tellAll(nodes.forgetful!)
  expect(lost.length).toBeGreaterThan(0)
}, 120_000)
