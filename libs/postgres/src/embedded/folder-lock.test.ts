import { hash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeTemporaryFolder } from '../testing/temporary-folder.ts'
import { lockFolder } from './folder-lock.ts'

let folder: string
beforeEach(async () => {
  folder = await makeTemporaryFolder('pando-lock-')
})
afterEach(() => rm(folder, { recursive: true }))

test('of many at once one gets the folder, and after it the next', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, 'test')))
  const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  expect(won).toHaveLength(1)
  await won[0]?.value()
  expect(await readdir(folder)).toEqual([])
  const unlock = await lockFolder(folder, 'test')
  await unlock()
})

test('of many at once one takes over what a dead process held', async () => {
  await writeFile(path.join(folder, 'lock'), JSON.stringify({ pid: process.pid, startedAs: 'before', program: 'dead' }))
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, 'test')))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await readdir(folder)).toEqual(['lock'])
})

test('who died while taking over stands in nobody’s way', async () => {
  const dead = JSON.stringify({ pid: process.pid, startedAs: 'before', program: 'dead' })
  await writeFile(path.join(folder, 'lock'), dead)
  await writeFile(path.join(folder, `lock.${hash('sha256', dead).slice(0, 16)}`), `${dead} `)
  await lockFolder(folder, 'test')
  expect(await readdir(folder)).toEqual(['lock'])
})
