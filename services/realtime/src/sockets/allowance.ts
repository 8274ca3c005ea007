/** A token bucket: fills with `perSecond` and holds as many. */
export type Allowance = { left: number; atMs: number }

export const newAllowance = (perSecond: number, nowMs: number): Allowance => ({ left: perSecond, atMs: nowMs })

/** Takes one; false when none is left. */
export function takeOne(allowance: Allowance, perSecond: number, nowMs: number): boolean {
  allowance.left = Math.min(perSecond, allowance.left + ((nowMs - allowance.atMs) / 1000) * perSecond)
  allowance.atMs = nowMs
  if (allowance.left < 1) return false
  allowance.left -= 1
  return true
}
