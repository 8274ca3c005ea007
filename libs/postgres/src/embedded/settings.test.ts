import { expect, test } from 'vitest'
import { renderSettings } from './settings.ts'

test('values are quoted as a configuration file wants them', () => {
  expect(renderSettings({ jit: false, port: 5, search_path: `"a", 'b'`, note: 'back\\slash' }).split('\n')).toEqual([
    expect.stringMatching(/^#/),
    `jit = off`,
    `port = '5'`,
    `search_path = '"a", ''b'''`,
    `note = 'back\\\\slash'`,
    '',
  ])
})
