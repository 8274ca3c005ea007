import { route, type Route } from '../route.ts'
import { attest, attestBody } from './attest.ts'
import { beginAttestation } from './begin-attestation.ts'

/** Proof that a session is on a real device, in the real app. It says nothing about the person, so any session may. */
export const attestationRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/attestation/challenge',
    who: 'user',
    aal: 'any',
    limit: 'attestation',
    run: beginAttestation,
  }),
  route({
    method: 'POST',
    path: '/attestation/verify',
    who: 'user',
    aal: 'any',
    limit: 'attestation',
    body: attestBody,
    run: attest,
  }),
]
