// `npm run bench [-- rest|auth|realtime|spike|fleet] [flags]`: one suite, the data API's if none is named. The suites read their own flags.
import process from 'node:process'

const suites: Readonly<Record<string, () => Promise<unknown>>> = {
  rest: () => import('./rest.ts'),
  auth: () => import('./auth/suite.ts'),
  realtime: () => import('./realtime/suite.ts'),
  spike: () => import('./spike/suite.ts'),
  fleet: () => import('./fleet/suite.ts'),
}

const named = process.argv[2]?.startsWith('--') === false ? process.argv.splice(2, 1)[0]! : 'rest'
const suite = suites[named]
if (suite === undefined) throw new Error(`There is no suite ${named}. There are: ${Object.keys(suites).join(', ')}.`)
await suite()
