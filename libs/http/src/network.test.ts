import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isLoopback, toNetwork } from './network.ts'

test('an IPv4 address is a network of its own, however it is written', () => {
  const spellings = [
    '203.0.113.7',
    '::ffff:203.0.113.7',
    '::FFFF:203.0.113.7',
    '::ffff:cb00:7107',
    '0:0:0:0:0:ffff:cb00:7107',
  ]
  expect(new Set(spellings.map(toNetwork))).toEqual(new Set(['203.0.113.7']))
})

test('an IPv6 network is its first 64 bits, however an address in it is written', () => {
  const spellings = [
    '2001:db8:1:2::1',
    '2001:0DB8:0001:0002:ffff:ffff:ffff:ffff',
    '2001:db8:1:2:0:0:203.0.113.7',
    '2001:db8:1:2::1%eth0',
  ]
  expect(new Set(spellings.map(toNetwork))).toEqual(new Set(['2001:db8:1:2::/64']))
  expect(toNetwork('2001:db8:1:3::1')).not.toBe(toNetwork('2001:db8:1:2::1'))
  expect(toNetwork('::1')).toBe('0:0:0:0::/64')
})

test('the last 64 bits change nothing, the first all', () => {
  const groups = fc.tuple(...Array.from({ length: 8 }, () => fc.integer({ min: 1, max: 0xffff })))
  const write = (parts: readonly number[]): string => parts.map((part) => part.toString(16)).join(':')
  fc.assert(
    fc.property(groups, groups, (left, right) => {
      const neighbour = [...left.slice(0, 4), ...right.slice(4)]
      expect(toNetwork(write(neighbour))).toBe(toNetwork(write(left)))
      const isSame = write(left.slice(0, 4)) === write(right.slice(0, 4))
      expect(toNetwork(write(right)) === toNetwork(write(left))).toBe(isSame)
    }),
  )
})

test('texts that are no address are all one network', () => {
  expect(new Set(['', 'x', '1.2.3', '1.2.3.4.5', 'unknown', '::g'].map(toNetwork))).toEqual(new Set(['none']))
})

test('this machine is known by all its addresses', () => {
  for (const address of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) expect(isLoopback(address)).toBe(true)
  for (const address of ['128.0.0.1', '::2', '::ffff:10.0.0.1', 'localhost', ''])
    expect(isLoopback(address)).toBe(false)
})
