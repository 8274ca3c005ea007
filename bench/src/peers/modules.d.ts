/** What the peer uses of Parse Server: it is installed for a bench alone, its types must be known without it. */
declare module 'parse-server' {
  import type { RequestListener, Server } from 'node:http'

  type Cloud = { define(name: string, run: (request: { params: Record<string, unknown> }) => unknown): void }
  export class ParseServer {
    constructor(options: {
      readonly databaseURI: string
      readonly appId: string
      readonly masterKey: string
      readonly serverURL: string
      readonly allowClientClassCreation: boolean
      readonly silent: boolean
      readonly logLevel: 'error'
      readonly liveQuery: { readonly classNames: readonly string[] }
      readonly cloud: (Parse: { readonly Cloud: Cloud }) => void
    })
    /** Answers requests; only after `start`. */
    readonly app: RequestListener
    start(): Promise<this>
    static createLiveQueryServer(
      server: Server,
      options: { readonly appId: string; readonly serverURL: string; readonly logLevel: 'error' },
    ): Promise<unknown>
  }
}
