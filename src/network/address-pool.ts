/** Addresses of one network, in memory; the database holds the leases and refuses a double one.
 *  Invariant: an address that was given back is not given out again before all others had their turn, so that
 *  neighbours' ARP entries and half-open connections of its last holder have time to go. */
import { BerthError, conflict } from '../base/index.ts'
import { contains, formatAddress, parseAddress, type Subnet, subnetSize } from './ipv4.ts'

export class AddressPool {
  readonly #subnet: Subnet
  readonly #taken = new Set<number>()
  #next: number

  /** A pool of all host addresses of `subnet`; `taken` (the gateway, earlier leases) are never given out. */
  constructor(subnet: Subnet, taken: Iterable<string>) {
    this.#subnet = subnet
    this.#next = subnet.base
    for (const text of taken) {
      const address = parseAddress(text)
      this.#taken.add(address)
      if (contains(subnet, address)) this.#next = Math.max(this.#next, address)
    }
  }

  /** Takes the next free address. Throws `unavailable` when there is none. */
  take(): string {
    const first = this.#subnet.base + 1
    const last = this.#subnet.base + subnetSize(this.#subnet) - 2
    if (this.#taken.size < last - first + 1) {
      for (let tries = first; tries <= last; tries += 1) {
        this.#next = this.#next >= last ? first : this.#next + 1
        if (this.#taken.has(this.#next)) continue
        this.#taken.add(this.#next)
        return formatAddress(this.#next)
      }
    }
    throw new BerthError('unavailable', 'no available IPv4 addresses on this network')
  }

  /** Takes that address. Throws `conflict` when it is in use, `invalidArgument` when it is not of this network. */
  takeExactly(text: string): void {
    const address = parseAddress(text)
    if (!contains(this.#subnet, address)) {
      throw new BerthError('invalidArgument', `address ${text} is not in the network's range`)
    }
    if (this.#taken.has(address)) throw conflict('Address already in use')
    this.#taken.add(address)
  }

  giveBack(text: string): void {
    this.#taken.delete(parseAddress(text))
  }
}
