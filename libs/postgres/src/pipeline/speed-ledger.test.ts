import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { defaultPipelineLimits } from './limits.ts'
import { createSpeedLedger } from './speed-ledger.ts'

const open = (ledgerMax = 100) => createSpeedLedger({ ...defaultPipelineLimits, fastMs: 5, ledgerMax }, () => {})
const of = (...texts: string[]) => texts.map((text) => ({ text, params: [] }))

test('a statement is fast when it has been quick twice, not before', () => {
  const ledger = open()
  expect(ledger.isFast(of('a'))).toBe(false)
  ledger.record(of('a'), 1)
  expect(ledger.isFast(of('a'))).toBe(false)
  ledger.record(of('a'), 1)
  expect(ledger.isFast(of('a'))).toBe(true)
  expect(ledger.isFast(of('a', 'unknown'))).toBe(false)
})

test('a statement is not blamed for the slow one that it shares exchanges with', () => {
  const ledger = open()
  for (let i = 0; i < 5; i++) {
    ledger.record(of('prelude', 'quick'), 1)
    ledger.record(of('prelude', 'slow'), 90)
  }
  expect(ledger.isFast(of('prelude', 'quick'))).toBe(true)
  expect(ledger.isFast(of('slow'))).toBe(false)
})

test('even when the slow exchange was the first that it was seen in', () => {
  const ledger = open()
  ledger.record(of('prelude', 'slow'), 90)
  for (let i = 0; i < 40; i++) ledger.record(of('prelude', 'quick'), 1)
  expect(ledger.isFast(of('prelude', 'quick'))).toBe(true)
})

test('from any past, enough quick samples make a statement fast and enough slow ones make it slow', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (past) => {
      const ledger = open()
      for (const tookMs of past) ledger.record(of('a'), tookMs)
      for (let i = 0; i < 40; i++) ledger.record(of('a'), 1)
      expect(ledger.isFast(of('a'))).toBe(true)
      for (let i = 0; i < 10; i++) ledger.record(of('a'), 50)
      expect(ledger.isFast(of('a'))).toBe(false)
    }),
  )
})

test('a statement that was stopped is slow at once, and may prove itself again', () => {
  const ledger = open()
  for (let i = 0; i < 5; i++) ledger.record(of('a'), 1)
  ledger.markSlow(of('a'))
  expect(ledger.isFast(of('a'))).toBe(false)
  for (let i = 0; i < 40; i++) ledger.record(of('a'), 1)
  expect(ledger.isFast(of('a'))).toBe(true)
})

test('one stall does not make a fast statement slow for long', () => {
  const ledger = open()
  for (let i = 0; i < 10; i++) ledger.record(of('a'), 1)
  ledger.record(of('a'), 60_000)
  for (let i = 0; i < 20; i++) ledger.record(of('a'), 1)
  expect(ledger.isFast(of('a'))).toBe(true)
})

test('it remembers no more statements than it may', () => {
  const ledger = open(10)
  for (let i = 0; i < 100; i++) ledger.record(of(`select ${i}`), 1)
  expect(ledger.size).toBe(10)
})
