import type { ProviderName } from './config.ts'
import type { Definition } from './definition.ts'
import { apple, azure, google, keycloak, linkedin, slack } from './open-id.ts'
import { discord, facebook, kakao, spotify, twitch, x } from './social.ts'
import { bitbucket, figma, github, gitlab, notion, zoom } from './workplaces.ts'

/** All providers that are known by name. */
export const catalogue: Readonly<Record<ProviderName, Definition>> = {
  apple,
  azure,
  bitbucket,
  discord,
  facebook,
  figma,
  github,
  gitlab,
  google,
  kakao,
  keycloak,
  linkedin_oidc: linkedin,
  notion,
  slack_oidc: slack,
  spotify,
  twitch,
  twitter: x,
  x,
  zoom,
}
