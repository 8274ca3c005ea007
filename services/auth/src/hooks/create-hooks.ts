import type { Clock } from '@pando/core/clock'
import type { Database } from '@pando/postgres/database'
import type { AuthOptions } from '../config.ts'
import { errors } from '../errors.ts'
import { newUuid } from '../uuid.ts'
import { callFunction } from './call-function.ts'
import { callWebhook, type WebhookLimits, webhookLimits } from './call-webhook.ts'
import { mustBeClaims } from './claims.ts'
import { parseHookTarget } from './hook-target.ts'
import type { HookCall, Hooks } from './hooks.ts'

export type HooksDeps = {
  readonly database: Database
  readonly clock: Clock
  readonly randomBytes: (bytes: number) => Buffer
  readonly options: AuthOptions
  /** Told why a hook could not be asked, or what was wrong with its answer; callers are told less. */
  readonly onFailed: (hook: string, error: unknown) => void
  readonly webhookLimits?: WebhookLimits
}

type Output = Readonly<Record<string, unknown>>
type Ask = (input: object, call: HookCall) => Promise<Output>

/** @throws when an enabled hook's options make no sense, with what to write instead */
export function createHooks(deps: HooksDeps): Hooks {
  const { options } = deps
  const hook = (kind: Kind): Ask | undefined => (options[`hook${kind}Enabled`] ? createAsk(deps, kind) : undefined)
  const customAccessToken = hook('CustomAccessToken')
  const sendEmail = hook('SendEmail')
  const sendSms = hook('SendSms')
  const password = hook('PasswordVerificationAttempt')
  const mfa = hook('MfaVerificationAttempt')
  const beforeUserCreated = hook('BeforeUserCreated')
  return {
    customAccessToken: customAccessToken && (async (input, call) => toClaims(await customAccessToken(input, call))),
    sendEmail: sendEmail && (async (input, call) => void (await sendEmail(input, call))),
    sendSms: sendSms && (async (input, call) => void (await sendSms(input, call))),
    passwordVerificationAttempt:
      password &&
      (async (input, call) => {
        const output = await password(input, call)
        return { ...toDecision(output), shouldLogout: output['should_logout_user'] === true }
      }),
    mfaVerificationAttempt: mfa && (async (input, call) => toDecision(await mfa(input, call))),
    beforeUserCreated: beforeUserCreated && (async (input, call) => void (await beforeUserCreated(input, call))),
  }
}

/** The name that calls carry, by the name in options. */
const names = {
  CustomAccessToken: 'customize-access-token',
  SendEmail: 'send-email',
  SendSms: 'send-sms',
  PasswordVerificationAttempt: 'password-verification',
  MfaVerificationAttempt: 'mfa-verification',
  BeforeUserCreated: 'before-user-created',
} as const
type Kind = keyof typeof names

function createAsk(deps: HooksDeps, kind: Kind): Ask {
  const { database, clock, options, onFailed, webhookLimits: limits = webhookLimits } = deps
  const name = names[kind]
  const target = parseHookTarget(name, options[`hook${kind}Uri`], options[`hook${kind}Secrets`]?.reveal())
  const webhookDeps = { clock, newId: () => newUuid(deps), limits }
  return async (input, { address, tx }) => {
    const metadata = {
      uuid: newUuid(deps),
      time: new Date(clock.now()).toISOString(),
      name,
      ...(address === undefined ? {} : { ip_address: address }),
    }
    const event = { metadata, ...input }
    try {
      const output =
        'url' in target
          ? await callWebhook(webhookDeps, target, event)
          : await callFunction({ database, tx }, target, event)
      return toOutput(output)
    } catch (error) {
      onFailed(name, error)
      throw error
    }
  }
}

/** @throws the error that a hook answers with: `{"error": {"http_code", "message"}}` */
function toOutput(output: unknown): Output {
  if (output === undefined || output === null) return {}
  if (typeof output !== 'object' || Array.isArray(output))
    throw errors.hookOutputInvalid('Error unmarshaling JSON output.')
  const { error } = output as { error?: { http_code?: unknown; message?: unknown } | null }
  if (typeof error?.message === 'string' && error.message !== '') {
    const { http_code: status } = error
    const isError = Number.isInteger(status) && Number(status) >= 400 && Number(status) <= 599
    throw errors.hookRefused(isError ? Number(status) : 500, error.message)
  }
  return output as Output
}

function toClaims(output: Output) {
  if (!('claims' in output)) throw errors.hookOutputInvalid('output claims field is missing')
  return mustBeClaims(output['claims'])
}

function toDecision({ decision, message }: Output) {
  return {
    decision: typeof decision === 'string' ? decision : '',
    message: typeof message === 'string' ? message : '',
  }
}
