import { listInstallationSecrets } from '@pando/http/auth/derive-key'
import type { ServerConfig } from './config.ts'

/** What only the nodes of the installation know, the most particular first; empty where only public keys are known. */
export const listSecrets = ({ auth, jwt }: Pick<ServerConfig, 'auth' | 'jwt'>): readonly string[] =>
  listInstallationSecrets({
    own: auth.secret?.reveal(),
    jwtSecret: jwt.secret?.reveal(),
    signingKeys: jwt.signingKeys?.reveal(),
  })
