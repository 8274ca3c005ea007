import { expect, test } from 'vitest'
import { overrideAnswer } from './override-answer.ts'

const answer = { status: 200, headers: { 'Content-Type': 'application/json' }, body: 'x' }

test('without settings the answer is the same object', () => {
  expect(overrideAnswer(answer, {})).toBe(answer)
})

test('a function sets status and headers; a header of ours gives way whatever its case', () => {
  const set = { status: '418', headers: '[{"content-type":"text/tea"},{"Set-Cookie":"a=1"},{"Set-Cookie":"b=2"}]' }
  expect(overrideAnswer(answer, set)).toEqual({
    status: 418,
    headers: { 'content-type': 'text/tea', 'Set-Cookie': ['a=1', 'b=2'] },
    body: 'x',
  })
})

test.each(['{"a":"b"}', '[{"a":"b","c":"d"}]', '[{"a":1}]', '["a"]', 'no json', '[{"a b":"c"}]', '[{"a":"b\\r\\nc"}]'])(
  'headers %s are refused with PGRST111',
  (headers) => {
    expect(() => overrideAnswer(answer, { headers })).toThrow(expect.objectContaining({ code: 'PGRST111' }))
  },
)

test.each(['', 'abc', '99', '600', '20.5'])('status "%s" is refused with PGRST112', (status) => {
  expect(() => overrideAnswer(answer, { status })).toThrow(expect.objectContaining({ code: 'PGRST112' }))
})
