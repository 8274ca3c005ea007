/** A provider that tells who somebody is by an API of its own: what it answers, and who that is to us. */
export type DocumentedProvider = {
  readonly name: string
  /** How our secret reaches it. */
  readonly clientAuth: 'basic' | 'post'
  /** Path of its token endpoint below the configured address. */
  readonly token: string
  /** Answers to `GET`, by path, in the shape that its documentation shows. */
  readonly answers: Readonly<Record<string, unknown>>
  readonly id: string
  readonly email: string
  readonly isVerified: boolean
  readonly metadata: Readonly<Record<string, unknown>>
}

export const documentedProviders: readonly DocumentedProvider[] = [
  {
    name: 'gitlab',
    clientAuth: 'post',
    token: '/oauth/token',
    answers: {
      '/api/v4/user': {
        id: 91,
        username: 'john_smith',
        email: 'john@gitlab.example',
        name: 'John Smith',
        confirmed_at: '2012-05-23T09:05:22Z',
        avatar_url: 'https://gitlab.example/1.png',
      },
    },
    id: '91',
    email: 'john@gitlab.example',
    isVerified: true,
    metadata: { name: 'John Smith', user_name: 'john_smith', avatar_url: 'https://gitlab.example/1.png' },
  },
  {
    name: 'discord',
    clientAuth: 'post',
    token: '/api/oauth2/token',
    answers: {
      '/api/users/@me': {
        id: '80351110224678912',
        username: 'nelly',
        discriminator: '0',
        global_name: 'Nelly',
        avatar: 'a_8342729096ea3675',
        email: 'nelly@discord.example',
        verified: true,
      },
    },
    id: '80351110224678912',
    email: 'nelly@discord.example',
    isVerified: true,
    metadata: {
      full_name: 'nelly',
      avatar_url: 'https://cdn.discordapp.com/avatars/80351110224678912/a_8342729096ea3675.gif',
      custom_claims: { global_name: 'Nelly' },
    },
  },
  {
    name: 'spotify',
    clientAuth: 'basic',
    token: '/api/token',
    answers: {
      '/me': {
        id: 'smedjan',
        display_name: 'JM Wizzler',
        email: 'jm@spotify.example',
        images: [
          { url: 'https://i.scdn.example/small', height: 64, width: 64 },
          { url: 'https://i.scdn.example/large', height: 300, width: 300 },
        ],
      },
    },
    id: 'smedjan',
    email: 'jm@spotify.example',
    isVerified: false,
    metadata: { name: 'JM Wizzler', avatar_url: 'https://i.scdn.example/large' },
  },
  {
    name: 'notion',
    clientAuth: 'basic',
    token: '/v1/oauth/token',
    answers: {
      '/v1/users/me': {
        object: 'user',
        id: '9188c6a5-7381-452f-b3dc-d4865aa89bdf',
        type: 'bot',
        bot: {
          owner: {
            type: 'user',
            user: {
              object: 'user',
              id: 'd40e767c-d7af-4b18-a86d-55c61f1e39a4',
              name: 'Avocado Lovelace',
              avatar_url: 'https://notion.example/avo.jpg',
              type: 'person',
              person: { email: 'avo@notion.example' },
            },
          },
        },
      },
    },
    id: 'd40e767c-d7af-4b18-a86d-55c61f1e39a4',
    email: 'avo@notion.example',
    isVerified: true,
    metadata: { name: 'Avocado Lovelace', avatar_url: 'https://notion.example/avo.jpg' },
  },
  {
    name: 'zoom',
    clientAuth: 'basic',
    token: '/oauth/token',
    answers: {
      '/v2/users/me': {
        id: 'KDcuGIm1QgePTO8WbOqwIQ',
        first_name: 'Jill',
        last_name: 'Chill',
        email: 'jill@zoom.example',
        login_types: [1, 101],
        verified: 0,
        pic_url: 'https://zoom.example/jill.jpg',
      },
    },
    id: 'KDcuGIm1QgePTO8WbOqwIQ',
    email: 'jill@zoom.example',
    isVerified: true,
    metadata: { name: 'Jill Chill', avatar_url: 'https://zoom.example/jill.jpg' },
  },
  {
    name: 'kakao',
    clientAuth: 'post',
    token: '/oauth/token',
    answers: {
      '/v2/user/me': {
        id: 123456789,
        kakao_account: {
          email: 'sample@kakao.example',
          is_email_valid: true,
          is_email_verified: false,
          profile: { nickname: '홍길동', profile_image_url: 'https://kakao.example/1.jpg' },
        },
      },
    },
    id: '123456789',
    email: 'sample@kakao.example',
    isVerified: false,
    metadata: { name: '홍길동', avatar_url: 'https://kakao.example/1.jpg' },
  },
  {
    name: 'bitbucket',
    clientAuth: 'basic',
    token: '/site/oauth2/access_token',
    answers: {
      '/2.0/user': {
        uuid: '{cc9d9c4b-2ef2-4b16-8f74-3a1d4e5f6a7b}',
        display_name: 'Emma Paris',
        links: { avatar: { href: 'https://bitbucket.example/emma.png' } },
      },
      '/2.0/user/emails': {
        values: [
          { email: 'emma@bitbucket.example', is_primary: true, is_confirmed: true },
          { email: 'other@bitbucket.example', is_primary: false, is_confirmed: false },
        ],
      },
    },
    id: '{cc9d9c4b-2ef2-4b16-8f74-3a1d4e5f6a7b}',
    email: 'emma@bitbucket.example',
    isVerified: true,
    metadata: { name: 'Emma Paris', avatar_url: 'https://bitbucket.example/emma.png' },
  },
  {
    name: 'figma',
    clientAuth: 'basic',
    token: '/v1/oauth/token',
    answers: {
      '/v1/me': {
        id: '2345',
        handle: 'Jane Doe',
        email: 'jane@figma.example',
        img_url: 'https://figma.example/jane.png',
      },
    },
    id: '2345',
    email: 'jane@figma.example',
    isVerified: true,
    metadata: { name: 'Jane Doe', avatar_url: 'https://figma.example/jane.png' },
  },
]
