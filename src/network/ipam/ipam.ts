/** Address management: which addresses of which network are taken, in memory. The database holds the leases and refuses
 *  a double one. */
import { internal, invalidArgument } from '../../base/index.ts'
import { type Family, parseAddress, parseCidr } from '../record/ip.ts'
import type { IpamPool, NetworkRecord } from '../record/network-record.ts'
import { AddressPool } from './address-pool.ts'

/** An address with what goes with it. */
export interface AddressLease {
  readonly address: string
  readonly prefix: number
  readonly gateway: string
}

interface OpenPool {
  readonly family: Family
  readonly prefix: number
  readonly gateway: string
  readonly pool: AddressPool
}

export class Ipam {
  readonly #networks = new Map<string, readonly OpenPool[]>()

  /** Takes a network up. `leased` are the addresses that its containers have; `hostAddress`, its own, is given to none. */
  add(record: NetworkRecord, leased: readonly string[]): void {
    const pools = record.ipam.map((pool) => openPool(pool, leased))
    this.#networks.set(record.id, pools)
  }

  remove(networkId: string): void {
    this.#networks.delete(networkId)
  }

  /** True when the network has addresses of that family. */
  has(networkId: string, family: Family): boolean {
    return (this.#networks.get(networkId) ?? []).some((pool) => pool.family === family)
  }

  /** Takes an address; a certain one when `wanted` is given. Throws `unavailable` when none is free, `forbidden` when the
   *  wanted one is taken, `invalidArgument` when the network does not have it. */
  take(networkId: string, family: Family, wanted?: string): AddressLease {
    const pools = (this.#networks.get(networkId) ?? []).filter((pool) => pool.family === family)
    if (pools.length === 0) throw internal(`network ${networkId} has no IPv${family} addresses`)
    if (wanted !== undefined) return takeExactly(pools, wanted)
    let failure: unknown
    for (const open of pools) {
      try {
        return leaseOf(open, open.pool.take())
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  /** Gives an address back; '' is none. */
  giveBack(networkId: string, address: string): void {
    if (address === '') return
    for (const { pool } of this.#networks.get(networkId) ?? []) if (pool.has(address)) pool.giveBack(address)
  }
}

function openPool(
  { subnet: text, range, gateway, router = gateway, auxiliary = {} }: IpamPool,
  leased: readonly string[],
): OpenPool {
  const { subnet } = parseCidr(text)
  const own = [gateway, router, ...Object.values(auxiliary), ...leased].filter(
    (address) => address !== '' && parseAddress(address).family === subnet.family,
  )
  const pool = new AddressPool(subnet, own, range === undefined ? subnet : parseCidr(range).subnet)
  return { family: subnet.family, prefix: subnet.prefix, gateway: router, pool }
}

function takeExactly(pools: readonly OpenPool[], wanted: string): AddressLease {
  const open = pools.find(({ pool }) => pool.has(wanted))
  if (open === undefined) {
    throw invalidArgument(`invalid endpoint settings:\nno configured subnet contains IP address ${wanted}`)
  }
  open.pool.takeExactly(wanted)
  return leaseOf(open, wanted)
}

function leaseOf({ prefix, gateway }: OpenPool, address: string): AddressLease {
  return { address, prefix, gateway }
}
