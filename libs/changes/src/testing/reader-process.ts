import { createTestBus } from '@pando/bus/testing/test-bus'
import { createTestReader } from './test-reader.ts'

// Started by `start-reader-process.ts` with where Postgres and Redis are; says which state its reader has reached.
const where = JSON.parse(process.argv[2]!) as { url: string; redisUrl: string | null }
const bus = createTestBus(where)
await bus.start()
const reader = createTestReader({ url: where.url, bus })
await reader.start()
process.stdout.write(reader.state())
