import type { Claims } from '@pando/core/caller'

/** Finds a value in the claims of a token; undefined where there is none. */
export type ClaimPath = (claims: Claims) => unknown

type Step = (value: unknown) => unknown

const key = /\.(?:([\p{L}\p{N}_$@]+)|"([^"]*)")/uy
const index = /\[(\d+)\]/y
const filter = /\[\?\(@\s*(==\^|==|!=|\^==|\*==)\s*"([^"]*)"\)\]$/y

const comparisons: Readonly<Record<string, (text: string, wanted: string) => boolean>> = {
  '==': (text, wanted) => text === wanted,
  '!=': (text, wanted) => text !== wanted,
  '^==': (text, wanted) => text.startsWith(wanted),
  '==^': (text, wanted) => text.endsWith(wanted),
  '*==': (text, wanted) => text.includes(wanted),
}

/**
 * Reads a path such as `.role`, `.app."https://x.example/roles"[0]` or `.roles[?(@ ^== "db_")]`: the first text of a list
 * that fits (PostgREST v14, "JWT Role Extraction"). Undefined for anything else.
 */
export function parseClaimPath(text: string): ClaimPath | undefined {
  const steps: Step[] = []
  for (let at = 0; at < text.length;) {
    const step = readStep(text, at)
    if (step === undefined) return undefined
    steps.push(step.take)
    at = step.end
  }
  if (steps.length === 0) return undefined
  return (claims) => steps.reduce<unknown>((value, take) => take(value), claims)
}

function readStep(text: string, at: number): { take: Step; end: number } | undefined {
  const match = (form: RegExp): RegExpExecArray | null => {
    form.lastIndex = at
    return form.exec(text)
  }
  const named = match(key)
  if (named !== null) return { take: member(named[1] ?? named[2]!), end: key.lastIndex }
  const numbered = match(index)
  if (numbered !== null) return { take: item(Number(numbered[1])), end: index.lastIndex }
  const filtered = match(filter)
  return filtered === null ? undefined : { take: first(filtered[1]!, filtered[2]!), end: filter.lastIndex }
}

const member =
  (name: string): Step =>
  (value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined

const item =
  (place: number): Step =>
  (value) =>
    Array.isArray(value) ? (value as readonly unknown[])[place] : undefined

const first =
  (operator: string, wanted: string): Step =>
  (value) =>
    Array.isArray(value)
      ? value.find((each) => typeof each === 'string' && comparisons[operator]!(each, wanted))
      : undefined
