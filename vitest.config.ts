import { defineConfig } from 'vitest/config'

/** Minutes long and under work: run with PANDO_TEST_LONG=1, one file at a time. */
const long = [
  'services/rest/src/policies.pg.test.ts',
  'services/rest/src/malformed.pg.test.ts',
  'apps/server/src/failures.pg.test.ts',
]

export default defineConfig({
  test: {
    include: ['{contract,libs,services,apps,examples,tools}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.pando/**', ...(process.env['PANDO_TEST_LONG'] === undefined ? long : [])],
    pool: 'threads',
    maxWorkers: 2,
    globalSetup: ['libs/postgres/src/testing/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
