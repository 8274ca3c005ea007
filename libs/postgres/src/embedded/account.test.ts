import { chmod, mkdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { canReach, parsePasswd } from './account.ts'

let folder: string
beforeEach(async () => {
  folder = await makeTemporaryFolder('pando-reach-')
})
afterEach(() => rm(folder, { recursive: true }))

test('passwd gives users that are not root, and lines that are none are passed over', () => {
  const text =
    'root:x:0:0:root:/root:/bin/sh\n+nis\n\npostgres:x:101:104::/var/lib/postgresql:/bin/bash\nodd:x:-2:1::/:/bin/sh'
  expect(parsePasswd(text)).toEqual([{ name: 'postgres', uid: 101, gid: 104 }])
})

test('a folder is reached when every folder above lets the user pass', async () => {
  const stranger = { name: 'stranger', uid: 12_345, gid: 12_345 }
  const inner = path.join(folder, 'a/b')
  await mkdir(inner, { recursive: true })
  await writeFile(path.join(inner, 'program'), '', { mode: 0o755 })
  expect(await canReach(stranger, path.join(inner, 'program'))).toBe(true)
  expect(await canReach(stranger, path.join(inner, 'not there yet'))).toBe(true)
  await chmod(path.join(folder, 'a'), 0o711)
  expect(await canReach(stranger, inner)).toBe(true)
  await chmod(path.join(folder, 'a'), 0o750)
  expect(await canReach(stranger, inner)).toBe(false)
  expect(await canReach({ ...stranger, gid: process.getgid?.() ?? 0 }, inner)).toBe(true)
})

test('the file itself must be readable and executable', async () => {
  const file = path.join(folder, 'program')
  await writeFile(file, '', { mode: 0o600 })
  expect(await canReach({ name: 'stranger', uid: 12_345, gid: 12_345 }, file)).toBe(false)
})
