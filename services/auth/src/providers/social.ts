import { appsecretProof } from './appsecret-proof.ts'
import { type Definition, hostOf } from './definition.ts'
import { isTrue, toList, toObject, toProfile } from './profile.ts'

const facebookApi = (url: string | undefined): string => hostOf(url, 'graph.facebook.com')

/** Facebook tells confirmed addresses only. Its Limited Login on phones gives ID tokens. */
export const facebook: Definition = {
  scopes: ['email'],
  pkce: false,
  clientAuth: 'post',
  endpoints: (url) => ({
    authorization: `${hostOf(url, 'www.facebook.com')}/dialog/oauth`,
    token: `${facebookApi(url)}/oauth/access_token`,
  }),
  idToken: { issuer: (url) => hostOf(url, 'www.facebook.com'), nonceIsPlain: true, isEmailVerified: () => true },
  api: {
    requests: ({ url, accessToken, secret }) => {
      const proof = appsecretProof(accessToken, secret)
      return [`${facebookApi(url)}/me?fields=email,first_name,last_name,name,picture&appsecret_proof=${proof}`]
    },
    toProfile: ([answer], issuer) => {
      const { id, email, first_name: first, last_name: last, name, picture } = toObject(answer)
      const fullName = [first, last].filter((part) => typeof part === 'string').join(' ')
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: email, verified: true }],
        name: fullName || name,
        nickname: name,
        picture: toObject(toObject(picture)['data'])['url'],
      })
    },
  },
}

const xApi = (url: string | undefined): string => hostOf(url, 'api.x.com')

/** X tells confirmed addresses only, to apps that asked for the permission. */
export const x: Definition = {
  scopes: ['users.email', 'tweet.read', 'users.read', 'offline.access'],
  clientAuth: 'basic',
  endpoints: (url) => ({
    authorization: `${hostOf(url, 'x.com')}/i/oauth2/authorize`,
    token: `${xApi(url)}/2/oauth2/token`,
  }),
  api: {
    requests: ({ url }) => [
      `${xApi(url)}/2/users/me?user.fields=id,name,username,confirmed_email,profile_image_url,url,created_at`,
    ],
    toProfile: ([answer], issuer) => {
      const { id, name, username, confirmed_email, profile_image_url, created_at } = toObject(toObject(answer)['data'])
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: confirmed_email, verified: true }],
        name,
        picture: profile_image_url,
        userName: username,
        custom: { created_at },
      })
    },
  },
}

const discordApi = (url: string | undefined): string => `${hostOf(url, 'discord.com')}/api`

export const discord: Definition = {
  scopes: ['email', 'identify'],
  clientAuth: 'post',
  endpoints: (url) => ({
    authorization: `${discordApi(url)}/oauth2/authorize`,
    token: `${discordApi(url)}/oauth2/token`,
  }),
  api: {
    requests: ({ url }) => [`${discordApi(url)}/users/@me`],
    toProfile: ([answer], issuer) => {
      const { id, username, discriminator, global_name, avatar, email, verified } = toObject(answer)
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: email, verified: isTrue(verified) }],
        name: `${String(username)}#${String(discriminator)}`,
        fullName: username,
        picture: typeof avatar === 'string' ? discordAvatar(String(id), avatar) : undefined,
        userName: username,
        custom: { global_name },
      })
    },
  },
}

const discordAvatar = (id: string, hash: string): string =>
  `https://cdn.discordapp.com/avatars/${id}/${hash}.${hash.startsWith('a_') ? 'gif' : 'png'}`

/** Spotify does not check addresses. */
export const spotify: Definition = {
  scopes: ['user-read-email'],
  clientAuth: 'basic',
  endpoints: (url) => {
    const base = hostOf(url, 'accounts.spotify.com')
    return { authorization: `${base}/authorize`, token: `${base}/api/token` }
  },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'api.spotify.com/v1')}/me`],
    toProfile: ([answer], issuer) => {
      const { id, display_name: name, email, images } = toObject(answer)
      const largest = toList(images).toSorted((a, b) => Number(b['width'] ?? 0) - Number(a['width'] ?? 0))[0]
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: email, verified: false }],
        name,
        picture: largest?.['url'],
      })
    },
  },
}

/** Twitch tells confirmed addresses only. */
export const twitch: Definition = {
  scopes: ['user:read:email'],
  pkce: false,
  clientAuth: 'post',
  endpoints: (url) => {
    const base = `${hostOf(url, 'id.twitch.tv')}/oauth2`
    return { authorization: `${base}/authorize`, token: `${base}/token` }
  },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'api.twitch.tv')}/helix/users`],
    headers: ({ clientId }) => ({ 'client-id': clientId }),
    toProfile: ([answer], issuer) => {
      const { id, login, display_name, email, profile_image_url, description } =
        toList(toObject(answer)['data'])[0] ?? {}
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: email, verified: true }],
        name: login,
        nickname: display_name,
        picture: profile_image_url,
        custom: { description },
      })
    },
  },
}

export const kakao: Definition = {
  scopes: ['account_email', 'profile_image', 'profile_nickname'],
  pkce: false,
  clientAuth: 'post',
  endpoints: (url) => {
    const base = `${hostOf(url, 'kauth.kakao.com')}/oauth`
    return { authorization: `${base}/authorize`, token: `${base}/token` }
  },
  idToken: { issuer: (url) => hostOf(url, 'kauth.kakao.com'), isEmailVerified: () => true },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'kapi.kakao.com')}/v2/user/me`],
    toProfile: ([answer], issuer) => {
      const { id, kakao_account: account } = toObject(answer)
      const { email, is_email_valid, is_email_verified, profile } = toObject(account)
      const { nickname, profile_image_url: picture } = toObject(profile)
      const emails = [{ address: email, verified: isTrue(is_email_valid) && isTrue(is_email_verified) }]
      return toProfile({ issuer, subject: id, emails, name: nickname, userName: nickname, picture })
    },
  },
}
