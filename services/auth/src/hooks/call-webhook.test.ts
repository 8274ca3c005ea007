import type { Clock } from '@pando/core/clock'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { callWebhook, webhookLimits } from './call-webhook.ts'

const clock: Clock = { now: () => 1_700_000_000_000, monotonic: () => performance.now() }

async function ask(listener: RequestListener, limits: Partial<typeof webhookLimits> = {}): Promise<unknown> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const deps = { clock, newId: () => 'the id', limits: { ...webhookLimits, backoffMs: 1, ...limits } }
  try {
    return await callWebhook(deps, { url, keys: [Buffer.from('a key')] }, { some: 'input' })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const answerJson: RequestListener = (_request, response) =>
  void response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end('{"a":1}')

test('a hook that hangs up is asked again, and given up after three times', async () => {
  let calls = 0
  expect(await ask((request, response) => (++calls < 3 ? request.destroy() : answerJson(request, response)))).toEqual({
    a: 1,
  })
  expect(calls).toBe(3)
  await expect(ask((request) => void request.destroy())).rejects.toMatchObject({ code: 'hook_timeout_after_retry' })
})

test('a hook that does not answer, or not to the end, is given up when the time is over', async () => {
  const silent = ask(() => undefined, { timeoutMs: 100 })
  await expect(silent).rejects.toMatchObject({ code: 'hook_timeout', status: 422 })
  const half = ask((_request, response) => void response.writeHead(200, { 'content-length': '10' }).write('{'), {
    timeoutMs: 100,
  })
  await expect(half).rejects.toMatchObject({ code: 'hook_timeout' })
})

test('who wants to be left alone for longer than there is time is not waited for', async () => {
  const busy = ask((_request, response) => void response.writeHead(503, { 'retry-after': '3600' }).end())
  await expect(busy).rejects.toMatchObject({ code: 'hook_timeout' })
})

test('an answer that does not end is cut off', async () => {
  const endless = ask((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const write = (): void =>
      void (response.write(' '.repeat(65_536)) ? setImmediate(write) : response.once('drain', write))
    write()
  })
  await expect(endless).rejects.toMatchObject({ code: 'hook_payload_over_size_limit' })
})
