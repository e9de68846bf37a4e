/** Chooses the range of a network that was created without one: the first free part of the daemon's pools. Pure. */
import { createHash } from 'node:crypto'
import { BerthError } from '../../base/index.ts'
import {
  type Family,
  formatSubnet,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
  subnetOf,
  subnetSize,
} from '../record/ip.ts'

/** A range from which networks get parts (`default-address-pools` of daemon.json). */
export interface AddressRange {
  /** In CIDR form. */
  readonly base: string
  /** Prefix length of each part. */
  readonly size: number
}

/** Docker's pools: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in parts of /20; for IPv6 a /48 of unique local
 *  addresses (RFC 4193) in parts of /64. Its global id is derived from `seed`. */
export function defaultPools(seed: string): readonly AddressRange[] {
  return [
    ...Array.from({ length: 15 }, (_, index) => ({ base: `172.${17 + index}.0.0/16`, size: 16 })),
    { base: '192.168.0.0/16', size: 20 },
    uniqueLocalPool(seed),
  ]
}

/** The pools of a daemon with the configured pools `own`. Without any, the default ones; without one for IPv6, the
 *  default one for IPv6 is added. */
export function completePools(own: readonly AddressRange[], seed: string): readonly AddressRange[] {
  if (own.length === 0) return defaultPools(seed)
  const hasIpv6 = own.some(({ base }) => parseCidr(base).subnet.family === 6)
  return hasIpv6 ? own : [...own, uniqueLocalPool(seed)]
}

/** The first part of the pools that overlaps none of `used`. Throws `unavailable` with Docker's message if there is
 *  none. */
export function chooseSubnet(pools: readonly AddressRange[], family: Family, used: readonly Subnet[]): Subnet {
  for (const { base, size } of pools) {
    const pool = parseCidr(base).subnet
    if (pool.family !== family) continue
    const near = used.filter((other) => overlaps(other, pool))
    const free = firstFree(pool, size, near)
    if (free !== undefined) return free
  }
  throw new BerthError('unavailable', 'all predefined address pools have been fully subnetted')
}

function firstFree(pool: Subnet, size: number, used: readonly Subnet[]): Subnet | undefined {
  const end = pool.base + subnetSize(pool)
  const { family } = pool
  for (let candidate = subnetOf({ family, value: pool.base }, size); candidate.base < end; ) {
    const taken = used.find((other) => overlaps(other, candidate))
    if (taken === undefined) return candidate
    // Go on after the part or the used range, whichever ends later: a large range rules out several parts at once.
    const behind = [candidate, taken].map((range) => range.base + subnetSize(range))
    const value = behind.reduce((a, b) => (a > b ? a : b))
    candidate = subnetOf({ family, value: value - 1n }, size)
    candidate = { ...candidate, base: candidate.base + subnetSize(candidate) }
  }
  return undefined
}

function uniqueLocalPool(seed: string): AddressRange {
  const id = createHash('sha256').update(seed).digest('hex')
  const address = parseAddress(`fd${id.slice(0, 2)}:${id.slice(2, 6)}:${id.slice(6, 10)}::`)
  return { base: formatSubnet(subnetOf(address, 48)), size: 64 }
}
