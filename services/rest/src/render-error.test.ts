import { Refusal } from '@pando/core/refusal'
import { PostgresError, PostgresUnavailable } from '@pando/postgres/errors'
import { describe, expect, test } from 'vitest'
import { isFault, renderError } from './render-error.ts'

const stranger = { role: 'anon', isAnonymous: true, method: 'GET', isOnCitus: false }
const user = { role: 'authenticated', isAnonymous: false, method: 'POST', isOnCitus: false }

function postgres(code: string, message = 'no', more: { detail?: string; hint?: string } = {}): PostgresError {
  return new PostgresError({ severity: 'ERROR', code, message, ...more })
}

function bodyOf(answer: { body?: unknown }): Record<string, unknown> {
  return JSON.parse(String(answer.body)) as Record<string, unknown>
}

describe('errors of Postgres', () => {
  test.each([
    ['23505', 409],
    ['23503', 409],
    ['25006', 405],
    ['53300', 503],
    ['53400', 500],
    ['57P01', 503],
    ['57014', 500],
    ['42P01', 404],
    ['42883', 404],
    ['42P17', 500],
    ['P0001', 400],
    ['P0002', 500],
    ['22P02', 400],
    ['XX000', 500],
    ['08006', 503],
    ['28P01', 403],
    ['0LP01', 403],
  ])('%s is answered with %i', (code, status) => {
    expect(renderError(postgres(code), user).status).toBe(status)
  })

  test('keep their four members, with null for what is not there', () => {
    const answer = renderError(postgres('23505', 'duplicate', { detail: 'Key (id)=(1) already exists.' }), user)
    expect(bodyOf(answer)).toEqual({
      code: '23505',
      message: 'duplicate',
      details: 'Key (id)=(1) already exists.',
      hint: null,
    })
  })

  test('a missing privilege is 401 for a stranger, 403 for a user, and says which grant is missing', () => {
    const denied = postgres('42501', 'permission denied for table posts')
    expect(renderError(denied, stranger).status).toBe(401)
    expect(renderError(denied, user).status).toBe(403)
    expect(bodyOf(renderError(denied, user))['hint']).toContain('GRANT INSERT ON posts TO authenticated;')
  })

  test('the two special cases of a class: a role that is not there, and an update without a condition', () => {
    expect(renderError(postgres('22023', 'role "ghost" does not exist'), user).status).toBe(401)
    expect(renderError(postgres('21000', 'UPDATE requires a WHERE clause'), user).status).toBe(400)
    expect(renderError(postgres('21000', 'more than one row returned by a subquery'), user).status).toBe(500)
  })
})

describe('what a function raises', () => {
  test('PT402 is status 402 with its message as reason', () => {
    expect(renderError(postgres('PT402', 'Payment Required'), user)).toMatchObject({
      status: 402,
      statusText: 'Payment Required',
    })
  })

  test('PGRST controls status, headers and all members', () => {
    const raised = postgres(
      'PGRST',
      '{"code":"123","message":"Payment Required","details":"Quota exceeded","hint":"Upgrade"}',
      {
        detail: '{"status":402,"status_text":"Pay","headers":{"X-Powered-By":"Nerd Rage"}}',
      },
    )
    const answer = renderError(raised, user)
    expect(answer).toMatchObject({ status: 402, statusText: 'Pay', headers: { 'X-Powered-By': 'Nerd Rage' } })
    expect(bodyOf(answer)).toEqual({
      code: '123',
      message: 'Payment Required',
      details: 'Quota exceeded',
      hint: 'Upgrade',
    })
  })

  test.each([
    ['no JSON in the message', 'oops', '{"status":402,"headers":{}}'],
    ['no detail', '{"code":"1","message":"m"}', undefined],
    ['a status that is none', '{"code":"1","message":"m"}', '{"status":"402","headers":{}}'],
    ['a header with a line break', '{"code":"1","message":"m"}', '{"status":402,"headers":{"a":"b\\nc"}}'],
  ])('PGRST with %s is PGRST121 and says how it should look', (_, message, detail) => {
    const answer = renderError(postgres('PGRST', message, detail === undefined ? {} : { detail }), user)
    expect(answer.status).toBe(500)
    expect(bodyOf(answer)).toMatchObject({ code: 'PGRST121', hint: expect.stringContaining('must be a JSON object') })
  })
})

describe('no answer of Postgres', () => {
  test.each([
    ['connection', false, 503, 'PGRST000'],
    ['connection', true, 503, 'PGRST001'],
    ['pool', false, 504, 'PGRST003'],
    ['deadline', true, 503, '57014'],
  ] as const)('%s (sent: %s) is %i %s', (reason, sent, status, code) => {
    const answer = renderError(new PostgresUnavailable(reason, 'gone', { sent }), user)
    expect(answer.status).toBe(status)
    expect(bodyOf(answer)['code']).toBe(code)
  })
})

test('token refusals get the codes of this wire', () => {
  const codeOf = (code: string, message = 'JWT expired') =>
    bodyOf(renderError(new Refusal(code, 401, message), user))['code']
  expect(codeOf('token.malformed')).toBe('PGRST301')
  expect(codeOf('token.expired')).toBe('PGRST303')
  expect(codeOf('token.claims', 'Anonymous access is disabled')).toBe('PGRST302')
})

test('a fault says nothing of itself', () => {
  const fault = new TypeError('cannot read secrets of undefined')
  const answer = renderError(fault, user)
  expect(isFault(fault)).toBe(true)
  expect(answer.status).toBe(500)
  expect(String(answer.body)).not.toContain('secrets')
})
