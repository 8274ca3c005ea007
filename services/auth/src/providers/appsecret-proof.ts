import { createHmac } from 'node:crypto'

/** Shows Facebook's API that the token is in the hands of the app that it was made for. */
export const appsecretProof = (accessToken: string, secret: string): string =>
  createHmac('sha256', secret).update(accessToken).digest('hex')
