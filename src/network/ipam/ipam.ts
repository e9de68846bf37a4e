/** Address management: the free and taken addresses of each network, in memory. The database holds the leases and
 *  refuses to lease an address twice. */
import { internal, invalidArgument } from '../../base/index.ts'
import { type Family, parseAddress, parseCidr } from '../record/ip.ts'
import type { IpamPool, NetworkRecord } from '../record/network-record.ts'
import { AddressPool } from './address-pool.ts'

/** A leased address, its prefix length and its gateway. */
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

  /** Adds a network or replaces it. `leased` are the addresses that its containers have. */
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

  /** Leases the next free address, or the `wanted` one. Throws `unavailable` if none is free, `forbidden` if the wanted
   *  one is taken, `invalidArgument` if it is not in the network's ranges. */
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

  /** Ends a lease. Does nothing for '' or an unknown address. */
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
