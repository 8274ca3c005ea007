import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{contract,libs,services,apps,clients,examples,tools}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/.pando/**'],
    pool: 'threads',
    maxWorkers: 2,
    globalSetup: ['libs/postgres/src/testing/global-setup.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
