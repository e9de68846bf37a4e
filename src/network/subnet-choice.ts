/** Which private range a new network takes: the first one that nothing on the host uses. Pure. */
import { BerthError } from '../base/index.ts'
import { overlaps, parseAddress, type Subnet } from './ipv4.ts'

/** Docker's own order: 172.17.0.0/16 to 172.31.0.0/16, then 192.168.0.0/16 in parts of /20. */
export function candidateSubnets(): Subnet[] {
  const large = Array.from({ length: 15 }, (_, index) => ({ base: parseAddress(`172.${17 + index}.0.0`), prefix: 16 }))
  const small = Array.from({ length: 16 }, (_, index) => ({
    base: parseAddress(`192.168.${index * 16}.0`),
    prefix: 20,
  }))
  return [...large, ...small]
}

/** The first candidate that overlaps none of `used`. Throws `unavailable` when there is none. */
export function chooseSubnet(used: readonly Subnet[]): Subnet {
  const free = candidateSubnets().find((candidate) => !used.some((other) => overlaps(candidate, other)))
  if (free === undefined) {
    throw new BerthError('unavailable', 'could not find an available, non-overlapping IPv4 address pool')
  }
  return free
}
