import { X509Certificate } from 'node:crypto'
import { errors } from '../errors.ts'

/**
 * The certificate of a key, behind it the one that issued it, which `root` issued: signatures, names, times, and the
 * right to issue (RFC 5280 §6.1). Nothing is fetched: addresses in certificates are not followed.
 *
 * @throws attestation_failed when it is no such chain
 */
export function mustChain(chain: readonly Buffer[], root: X509Certificate, nowMs: number): X509Certificate {
  const [leaf, intermediate, ...more] = chain.map(parse)
  if (leaf === undefined || intermediate === undefined || more.length > 0) {
    throw errors.attestationFailed('it needs two certificates')
  }
  mustBeIssued(leaf, intermediate)
  mustBeIssued(intermediate, root)
  for (const { validFromDate, validToDate } of [leaf, intermediate, root]) {
    if (nowMs < validFromDate.getTime() || nowMs > validToDate.getTime()) {
      throw errors.attestationFailed('a certificate has expired, or is not valid yet')
    }
  }
  return leaf
}

function mustBeIssued(certificate: X509Certificate, issuer: X509Certificate): void {
  if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey)) {
    throw errors.attestationFailed('its certificates do not lead to the root')
  }
}

function parse(der: Buffer): X509Certificate {
  try {
    return new X509Certificate(der)
  } catch (cause) {
    throw errors.attestationFailed('a certificate cannot be read', cause)
  }
}
