import type { Preferences } from './request/api-request.ts'

/** Which preferences an answer may confirm: it depends on what was done. */
export type Applicable = {
  readonly resolution: boolean
  readonly return: boolean
  readonly missing: boolean
  readonly maxAffected: boolean
}

/** `Preference-Applied` (RFC 7240 §3) in PostgREST's order, or undefined when nothing was applied. */
export function appliedPreferences(asked: Preferences, applicable: Applicable): string | undefined {
  const applied: string[] = []
  if (asked.resolution !== undefined && applicable.resolution) applied.push(`resolution=${asked.resolution}`)
  if (asked.missing !== undefined && applicable.missing) applied.push(`missing=${asked.missing}`)
  if (asked.return !== undefined && applicable.return) applied.push(`return=${asked.return}`)
  if (asked.count !== undefined) applied.push(`count=${asked.count}`)
  if (asked.transaction !== undefined) applied.push(`tx=${asked.transaction}`)
  if (asked.handling !== undefined) applied.push(`handling=${asked.handling}`)
  if (asked.timezone !== undefined) applied.push(`timezone=${asked.timezone}`)
  if (asked.maxAffected !== undefined && applicable.maxAffected && asked.handling === 'strict') {
    applied.push(`max-affected=${asked.maxAffected}`)
  }
  return applied.length === 0 ? undefined : applied.join(', ')
}
