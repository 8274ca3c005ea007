import { errors } from '../errors.ts'

/** The forms of hashes that are understood, see `Passwords.verify`. */
const forms: readonly RegExp[] = [
  /^\$argon2(?:i|id)\$v=19\$m=\d+,t=\d+,p=\d+(?:,keyid=[^,$]*|,data=[^,$]*)*\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/,
  /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/,
  /^\$fbscrypt\$v=1,n=\d+,r=\d+,p=\d+(?:,ss=[A-Za-z0-9+/=]+)?(?:,sk=[A-Za-z0-9+/=]+)\$[A-Za-z0-9+/=]+\$[A-Za-z0-9+/=]+$/,
]

/** @throws when a hash that is brought along is of no form that is understood */
export function mustBeHash(hash: string): string {
  if (!forms.some((form) => form.test(hash)))
    throw errors.invalid('The password hash must be argon2i or argon2id (PHC), bcrypt, or $fbscrypt$')
  return hash
}
