import { Failure } from '../failure.ts'

/**
 * The hash parameters of a Firebase project, as its console shows them (Authentication → Users → Password hash
 * parameters).
 */
export type FirebaseHashing = {
  /** `base64_signer_key` */
  readonly signerKey: string
  /** `base64_salt_separator` */
  readonly saltSeparator: string
  readonly rounds: number
  /** `mem_cost`, an exponent. */
  readonly memoryCost: number
}

/** The form in which such a hash is stored and verified. Exports write base64 for URLs, the console the plain one. */
export function toFirebaseHash(hash: string, salt: string, hashing: FirebaseHashing | undefined): string {
  if (hashing === undefined) {
    throw new Failure('usage', 'These hashes are of Firebase, which needs the parameters of its project.', {
      remedy: 'Add --firebase-signer-key KEY and, if it is not "Bw==", --firebase-salt-separator TEXT.',
    })
  }
  const { signerKey, saltSeparator, rounds, memoryCost } = hashing
  const parameters = `v=1,n=${memoryCost},r=${rounds},p=1,ss=${plain(saltSeparator)},sk=${plain(signerKey)}`
  return `$fbscrypt$${parameters}$${plain(salt)}$${plain(hash)}`
}

const plain = (base64: string): string => base64.replaceAll('-', '+').replaceAll('_', '/')
