import type { AuthOptions } from '../config.ts'

/** Longest password that is hashed; NIST SP 800-63B-4 wants at least 64 characters to be allowed. */
export const passwordBytesMax = 1024

const lower = 'abcdefghijklmnopqrstuvwxyz'
const upper = lower.toUpperCase()
const digits = '0123456789'
const symbols = '!@#$%^&*()_+-=[]{};\'\\:"|<>?,./`~'

const requirements: Readonly<Record<string, readonly string[]>> = {
  '': [],
  letters_digits: [lower + upper, digits],
  lower_upper_letters_digits: [lower, upper, digits],
  lower_upper_letters_digits_symbols: [lower, upper, digits, symbols],
}

type Rules = Pick<AuthOptions, 'passwordLengthMin' | 'passwordRequirements' | 'passwordWords'>

/** What a password lacks, as it is told. */
export type Weakness = { readonly message: string; readonly reasons: readonly string[] }

/** Undefined when a password keeps the rules. */
export function whyWeak(password: string, rules: Rules): Weakness | undefined {
  const { passwordLengthMin, passwordRequirements, passwordWords } = rules
  const messages: string[] = []
  const reasons: string[] = []
  // Characters as people count them.
  if ([...password].length < passwordLengthMin) {
    reasons.push('length')
    messages.push(`Password should be at least ${passwordLengthMin} characters.`)
  } else if ([...withoutWords(password, passwordWords)].length < passwordLengthMin) {
    // SDKs know three reasons; this one is theirs for what is easy to guess.
    reasons.push('pwned')
    messages.push('Password is easy to guess: words of this app count as one character each.')
  }
  const sets = requirements[passwordRequirements]!
  if (!sets.every((set) => [...set].some((character) => password.includes(character)))) {
    reasons.push('characters')
    messages.push(`Password should contain at least one character of each: ${sets.join(', ')}.`)
  }
  return reasons.length === 0 ? undefined : { message: messages.join(' '), reasons }
}

/** With one character in the place of each of the words. Longer words first: one may be part of another. */
function withoutWords(password: string, words: readonly string[]): string {
  const byLength = words.map((word) => word.toLowerCase()).toSorted((a, b) => b.length - a.length)
  return byLength.reduce((rest, word) => rest.replaceAll(word, '*'), password.toLowerCase())
}
