import { keepEncodings } from '@pando/http/encodings'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, expect, it } from 'vitest'
import { endAll, serviceOf, setUpGateway } from './testing/set-up-gateway.ts'

afterEach(endAll)

it('compresses a body that is kept once for each coding', async () => {
  const body = Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id }))))
  const kept: number[] = []
  keepEncodings(body, (bytes) => kept.push(bytes))
  const service = serviceOf('rest', (app, _options, done) => {
    app.get('/kept', (_request, reply) => reply.type('application/json').header('etag', '"v1"').send(body))
    done()
  })
  const { app } = setUpGateway({}, [service])
  const ask = (coding: string) => app.inject({ url: '/rest/v1/kept', headers: { 'accept-encoding': coding } })
  const sizes: number[] = []
  for (const [coding, decode] of [['gzip', gunzipSync] as const, ['br', brotliDecompressSync] as const]) {
    const answers = [...(await Promise.all([ask(coding), ask(coding)])), await ask(coding)]
    for (const { headers, rawPayload } of answers) {
      expect(headers).toMatchObject({ 'content-encoding': coding, etag: 'W/"v1"', vary: 'Accept-Encoding' })
      expect(headers['content-length']).toBe(String(rawPayload.length))
      expect(decode(rawPayload)).toEqual(body)
    }
    sizes.push(answers[0]!.rawPayload.length)
  }
  expect(kept).toEqual(sizes)
  expect((await ask('identity')).rawPayload).toEqual(body)
})
