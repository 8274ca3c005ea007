import { expect, test } from 'vitest'
import { loginUrl, scramVerifier } from './login.ts'

test('a login is another user, password or database of the same server', () => {
  const url = 'postgresql://admin:secret@%2Ftmp%2Fa%20b:5432/postgres?application_name=x'
  expect(loginUrl(url, { role: 'me@home', password: 'p/w:é', database: 'a b' })).toBe(
    'postgresql://me%40home:p%2Fw%3A%C3%A9@%2Ftmp%2Fa%20b:5432/a%20b?application_name=x',
  )
  expect(loginUrl(url, { database: 'other' })).toContain('//admin:secret@')
})

test('a verifier is the one that PostgreSQL makes', () => {
  // Password, salt and iterations of the example in RFC 7677, section 3.
  expect(scramVerifier('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'))).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})
