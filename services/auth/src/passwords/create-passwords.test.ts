import { expect, test } from 'vitest'
import { createPasswords } from './create-passwords.ts'

const options = {
  passwordMemory: 8 * 1024 ** 2,
  passwordPasses: 1,
  passwordThreads: 1,
  passwordQueueMax: 100,
  passwordWaitMax: 0,
}
const refusal = { code: 'over_request_rate_limit', status: 503, headers: { 'Retry-After': expect.any(String) } }

test('who would wait too long is refused at once, and who is in gets an answer', async () => {
  const passwords = createPasswords(options)
  // The second one begins when it is known how long the first one took its place.
  await passwords.hash('correct horse battery')
  const hash = await passwords.hash('correct horse battery')
  expect(passwords.hasRoom()).toBe(true)
  const check = () => passwords.admit(() => passwords.verify('correct horse battery', hash))
  const crowd = Array.from({ length: 5 }, check)
  expect(passwords.hasRoom()).toBe(false)
  const [first, ...others] = await Promise.allSettled(crowd)
  expect(first).toMatchObject({ value: { ok: true, outdated: false } })
  expect(others.at(-1)).toMatchObject({ reason: refusal })
  await passwords.close()
})
