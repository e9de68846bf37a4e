/** The addresses of one range of a network, in memory.
 *  Invariant: a returned address is leased again only after all other free addresses. So ARP entries of neighbors and
 *  half-open connections of its last holder have time to expire. */
import { BerthError } from '../../base/index.ts'
import { contains, formatAddress, parseAddress, type Subnet, subnetSize } from '../record/ip.ts'

export class AddressPool {
  readonly #subnet: Subnet
  /** The part of the subnet that addresses are chosen from. */
  readonly #first: bigint
  readonly #last: bigint
  readonly #taken = new Set<bigint>()
  /** Number of taken addresses between first and last. */
  #takenInside = 0n
  #next: bigint

  /** A pool of the host addresses of `subnet`. `take` chooses from `range` only. `taken` are addresses in use: the
   *  gateway, auxiliary addresses, earlier leases. */
  constructor(subnet: Subnet, taken: Iterable<string>, range: Subnet = subnet) {
    this.#subnet = subnet
    const lowest = firstHost(subnet)
    const highest = lastHost(subnet)
    const rangeEnd = range.base + subnetSize(range) - 1n
    this.#first = range.base > lowest ? range.base : lowest
    this.#last = rangeEnd < highest ? rangeEnd : highest
    this.#next = this.#first - 1n
    for (const text of taken) {
      const address = parseAddress(text)
      this.#add(address.value)
      if (this.#isInside(address.value) && address.value > this.#next) this.#next = address.value
    }
  }

  /** Leases the next free address. Throws `unavailable` if there is none. */
  take(): string {
    const total = this.#last - this.#first + 1n
    if (this.#takenInside < total) {
      for (let tries = 0n; tries < total; tries += 1n) {
        this.#next = this.#next >= this.#last ? this.#first : this.#next + 1n
        if (this.#taken.has(this.#next)) continue
        this.#add(this.#next)
        return formatAddress({ family: this.#subnet.family, value: this.#next })
      }
    }
    throw new BerthError(
      'unavailable',
      `no available IPv${this.#subnet.family} addresses on this network's address pools`,
    )
  }

  /** True for an address of the subnet. */
  has(text: string): boolean {
    return contains(this.#subnet, parseAddress(text))
  }

  /** Leases one particular address. Throws `forbidden` if it is in use, `invalidArgument` if it is not in the
   *  subnet. */
  takeExactly(text: string): void {
    const address = parseAddress(text)
    if (!contains(this.#subnet, address)) {
      throw new BerthError('invalidArgument', `address ${text} is not in the network's range`)
    }
    // The network and broadcast addresses are never leased.
    const isReserved =
      this.#subnet.family === 4 && (address.value < firstHost(this.#subnet) || address.value > lastHost(this.#subnet))
    if (isReserved || this.#taken.has(address.value)) throw new BerthError('forbidden', 'Address already in use')
    this.#add(address.value)
  }

  giveBack(text: string): void {
    const { value } = parseAddress(text)
    if (this.#taken.delete(value) && this.#isInside(value)) this.#takenInside -= 1n
  }

  #add(value: bigint): void {
    if (this.#taken.has(value)) return
    this.#taken.add(value)
    if (this.#isInside(value)) this.#takenInside += 1n
  }

  #isInside(value: bigint): boolean {
    return value >= this.#first && value <= this.#last
  }
}

/** The first address for a host. The network address is not for hosts, except in ranges of one or two addresses
 *  (RFC 3021). */
export function firstHost(subnet: Subnet): bigint {
  return subnetSize(subnet) <= 2n ? subnet.base : subnet.base + 1n
}

/** The last address for a host. In IPv4 the very last one is the broadcast address. */
function lastHost(subnet: Subnet): bigint {
  const end = subnet.base + subnetSize(subnet) - 1n
  return subnet.family === 4 && subnetSize(subnet) > 2n ? end - 1n : end
}
