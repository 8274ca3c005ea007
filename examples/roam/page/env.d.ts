/** Put in by `vite.config.ts`. */
interface ImportMetaEnv {
  readonly API_URL: string
  readonly API_KEY: string
}
