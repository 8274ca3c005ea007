import { type Definition, hostOf } from './definition.ts'
import { isTrue, toList, toObject, toProfile } from './profile.ts'

export const github: Definition = {
  scopes: ['user:email'],
  clientAuth: 'post',
  endpoints: (url) => {
    const base = `${hostOf(url, 'github.com')}/login/oauth`
    return { authorization: `${base}/authorize`, token: `${base}/access_token` }
  },
  api: {
    requests: ({ url }) => {
      const base = url === undefined ? 'https://api.github.com' : `${hostOf(url, '')}/api/v3`
      return [`${base}/user`, `${base}/user/emails`]
    },
    toProfile: ([answer, emails], issuer) => {
      const { id, name, login, avatar_url: picture } = toObject(answer)
      return toProfile({
        issuer,
        subject: id,
        emails: toList(emails).map(({ email, verified, primary }) => ({
          address: email,
          verified: isTrue(verified),
          primary: isTrue(primary),
        })),
        name,
        picture,
        userName: login,
      })
    },
  },
}

export const gitlab: Definition = {
  scopes: ['read_user'],
  clientAuth: 'post',
  endpoints: (url) => {
    const base = `${hostOf(url, 'gitlab.com')}/oauth`
    return { authorization: `${base}/authorize`, token: `${base}/token` }
  },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'gitlab.com')}/api/v4/user`],
    toProfile: ([answer], issuer) => {
      const { id, email, confirmed_at: confirmed, name, username, avatar_url: picture } = toObject(answer)
      const emails = [{ address: email, verified: typeof confirmed === 'string' && confirmed !== '' }]
      return toProfile({ issuer, subject: id, emails, name, picture, userName: username })
    },
  },
}

export const bitbucket: Definition = {
  scopes: ['account', 'email'],
  pkce: false,
  clientAuth: 'basic',
  endpoints: (url) => {
    const base = `${hostOf(url, 'bitbucket.org')}/site/oauth2`
    return { authorization: `${base}/authorize`, token: `${base}/access_token` }
  },
  api: {
    requests: ({ url }) => {
      const base = `${hostOf(url, 'api.bitbucket.org')}/2.0`
      return [`${base}/user`, `${base}/user/emails`]
    },
    toProfile: ([answer, emails], issuer) => {
      const { uuid, display_name: name, links } = toObject(answer)
      return toProfile({
        issuer,
        subject: uuid,
        emails: toList(toObject(emails)['values']).map(({ email, is_confirmed, is_primary }) => ({
          address: email,
          verified: isTrue(is_confirmed),
          primary: isTrue(is_primary),
        })),
        name,
        picture: toObject(toObject(links)['avatar'])['href'],
      })
    },
  },
}

/** Accounts at Figma are confirmed by mail before an app can be allowed. */
export const figma: Definition = {
  scopes: ['current_user:read'],
  clientAuth: 'basic',
  endpoints: (url) => ({
    authorization: `${hostOf(url, 'www.figma.com')}/oauth`,
    token: `${hostOf(url, 'api.figma.com')}/v1/oauth/token`,
  }),
  api: {
    requests: ({ url }) => [`${hostOf(url, 'api.figma.com')}/v1/me`],
    toProfile: ([answer], issuer) => {
      const { id, handle, email, img_url: picture } = toObject(answer)
      return toProfile({ issuer, subject: id, emails: [{ address: email, verified: true }], name: handle, picture })
    },
  },
}

/** Accounts at Notion begin with a mail to their address. */
export const notion: Definition = {
  scopes: [],
  pkce: false,
  clientAuth: 'basic',
  endpoints: (url) => {
    const base = `${hostOf(url, 'api.notion.com')}/v1/oauth`
    return { authorization: `${base}/authorize`, token: `${base}/token` }
  },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'api.notion.com')}/v1/users/me`],
    headers: () => ({ 'notion-version': '2022-06-28' }),
    toProfile: ([answer], issuer) => {
      const owner = toObject(toObject(toObject(answer)['bot'])['owner'])
      const { id, name, avatar_url: picture, person } = toObject(owner['user'])
      const emails = [{ address: toObject(person)['email'], verified: true }]
      return toProfile({ issuer, subject: id, emails, name, picture })
    },
  },
}

/** The way of signing in at Zoom that proves no address: a password. All others leave that to another provider. */
const zoomPassword = '100'

/** An address is proven when `verified` says so, or where only other providers are ways to sign in. */
export const zoom: Definition = {
  scopes: [],
  clientAuth: 'basic',
  endpoints: (url) => {
    const base = `${hostOf(url, 'zoom.us')}/oauth`
    return { authorization: `${base}/authorize`, token: `${base}/token` }
  },
  api: {
    requests: ({ url }) => [`${hostOf(url, 'api.zoom.us')}/v2/users/me`],
    toProfile: ([answer], issuer) => {
      const { id, first_name, last_name, email, verified, login_type, login_types, pic_url } = toObject(answer)
      const ways = (Array.isArray(login_types) ? login_types : [login_type ?? zoomPassword]).map(String)
      return toProfile({
        issuer,
        subject: id,
        emails: [{ address: email, verified: isTrue(verified) || (ways.length > 0 && !ways.includes(zoomPassword)) }],
        name: [first_name, last_name].filter((part) => typeof part === 'string').join(' '),
        picture: pic_url,
      })
    },
  },
}
