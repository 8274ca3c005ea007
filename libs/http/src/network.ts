import { BlockList, isIP } from 'node:net'

/**
 * What of a caller's address the caller cannot change at will: an IPv4 address, also when it is written as IPv6
 * (RFC 4291 §2.5.5.2), or the first 64 bits of an IPv6 address, of which every phone has 2^64. Texts that are no
 * address are all one network.
 */
export function toNetwork(address: string): string {
  const [bare = ''] = address.split('%')
  const family = isIP(bare)
  if (family === 0) return 'none'
  if (family === 4) return bare
  const groups = toGroups(bare)
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.')
  }
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8)
loopback.addAddress('::1', 'ipv6')

/** Whether somebody on this machine asks. */
export function isLoopback(address: string): boolean {
  const family = isIP(address)
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6')
}

/** The eight groups of a valid IPv6 address. */
function toGroups(address: string): number[] {
  const hex = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_all, ...bytes: string[]) => {
    const [a, b, c, d] = bytes.map(Number) as [number, number, number, number]
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = hex.split('::')
  const parse = (part: string | undefined): number[] =>
    part ? part.split(':').map((group) => Number.parseInt(group, 16)) : []
  const [left, right] = [parse(head), parse(tail)]
  return tail === undefined ? left : [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}
