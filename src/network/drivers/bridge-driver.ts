/** The devices of bridge networks: the bridge and the veth pair of each endpoint.
 *  Every device shows which daemon made it: a bridge by its alias, a veth by the prefix of its name (see
 *  `paths.ts`). */
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { BerthError, errnoOf, internal } from '../../base/index.ts'
import {
  addAddress,
  createBridge,
  createVeth,
  deleteAddress,
  deleteLink,
  type LinkInfo,
  type RouteSocket,
  setLink,
  writeNetworkSysctl,
} from '../../sys/index.ts'
import type { BridgeSettings } from '../record/bridge-options.ts'
import { parseCidr } from '../record/ip.ts'
import type { EndpointRecord, NetworkRecord } from '../record/network-record.ts'
import { bridgeAlias, networkAlias } from '../record/paths.ts'
import type { NetworkDriver } from './network-driver.ts'
import type { SandboxDoor } from './sandbox-door.ts'

const maxBridges = 1000

export class BridgeDriver implements NetworkDriver {
  readonly detachesFirst = false
  readonly #host: RouteSocket
  readonly #tag: string
  /** Index of the bridge's device, by network id. */
  readonly #indexes = new Map<string, number>()

  constructor(host: RouteSocket, tag: string) {
    this.#host = host
    this.#tag = tag
  }

  ensure(record: NetworkRecord, links: readonly LinkInfo[]): NetworkRecord {
    const settings = settingsOf(record)
    const alias = record.name === 'bridge' ? bridgeAlias(this.#tag) : networkAlias(this.#tag, record.id)
    const own = links.find((link) => link.kind === 'bridge' && link.alias === alias)
    const found = settings.foreign ? linkNamed(links, settings.device) : (own ?? linkNamed(links, settings.device))
    const foreign = found !== undefined && found.alias !== alias
    if (foreign && (found.kind !== 'bridge' || found.alias.startsWith('berth:'))) {
      throw new BerthError('forbidden', `interface ${settings.device} exists and is not a bridge of this network`)
    }
    if (found === undefined) {
      this.#host.execute(createBridge({ name: settings.device, mac: settings.mac, mtu: settings.mtu }))
    }
    const link = found ?? this.#host.findLink(settings.device)
    if (link === undefined) throw internal(`bridge ${settings.device} has gone`)
    let added: readonly string[]
    try {
      added = this.#configure(link, record, { alias, foreign })
    } catch (error) {
      if (found === undefined) removeLink(this.#host, link.index)
      throw error
    }
    this.#indexes.set(record.id, link.index)
    const addedAddresses = [...new Set([...(settings.addedAddresses ?? []), ...added])]
    const bridge = { ...settings, device: link.name, foreign, mac: foreign ? '' : settings.mac }
    return { ...record, bridge: foreign ? { ...bridge, addedAddresses } : bridge }
  }

  /** Deletes the bridge. A foreign device stays, and loses only the addresses that the daemon added. */
  remove(record: NetworkRecord): void {
    const index = this.#indexes.get(record.id)
    this.#indexes.delete(record.id)
    if (index === undefined) return
    if (settingsOf(record).foreign) this.#removeAddresses(index, record)
    else removeLink(this.#host, index)
  }

  /** Removes the daemon's addresses from a foreign device that an earlier run used. */
  letGo(record: NetworkRecord): void {
    const link = this.#host.findLink(settingsOf(record).device)
    if (link !== undefined) this.#removeAddresses(link.index, record)
  }

  attach(record: NetworkRecord, endpoint: EndpointRecord, door: SandboxDoor): void {
    const settings = settingsOf(record)
    const master = this.#indexes.get(record.id)
    if (master === undefined) throw new BerthError('unavailable', `network ${record.name} has no bridge`)
    const { veth } = endpoint
    const peer = { name: endpoint.device, mac: endpoint.mac, namespaceFd: door.fd }
    this.#host.execute(
      createVeth({ name: veth, mtu: settings.mtu, master, peer }),
      setLink(veth, { automaticIpv6: false }),
      // With br_netfilter, bridged packets pass the packet filter. A container then reaches its own published port only
      // if the bridge may send frames back through the port that they came from.
      setLink(veth, { port: { isolated: !settings.icc, hairpin: true } }),
      setLink(veth, { up: true }),
    )
  }

  detach(endpoint: EndpointRecord): void {
    removeLink(this.#host, endpoint.veth)
  }

  /** Index of the device of a network's bridge, or undefined if there is none. */
  indexOf(networkId: string): number | undefined {
    return this.#indexes.get(networkId)
  }

  /** Sets up the bridge. Gives the addresses that it added, in CIDR form. */
  #configure(
    link: LinkInfo,
    record: NetworkRecord,
    own: { readonly alias: string; readonly foreign: boolean },
  ): readonly string[] {
    const settings = settingsOf(record)
    if (!own.foreign && link.mtu !== settings.mtu) this.#host.execute(setLink(link.index, { mtu: settings.mtu }))
    const hasIpv6 = hostAddresses(record, settings).some(({ address }) => address.includes(':'))
    // Disabling IPv6 deletes a device's addresses. That must not happen to a foreign device.
    if (!own.foreign) writeNetworkSysctl(`ipv6/conf/${link.name}/accept_ra`, '0')
    if (!own.foreign || hasIpv6) writeNetworkSysctl(`ipv6/conf/${link.name}/disable_ipv6`, hasIpv6 ? '0' : '1')
    const added = this.#putAddresses(link.index, record, settings, own.foreign)
    // Isolated ports of a bridge don't reach each other. Linked containers talk through the host, which answers ARP
    // requests in place of the other container.
    writeNetworkSysctl(`ipv4/conf/${link.name}/proxy_arp_pvlan`, settings.icc ? '0' : '1')
    if (!settings.icc) writeNetworkSysctl(`ipv4/neigh/${link.name}/proxy_delay`, '0')
    // For connections from 127.0.0.1 on the host to a published port: the answers arrive over the bridge.
    writeNetworkSysctl(`ipv4/conf/${link.name}/route_localnet`, '1')
    if (!own.foreign) this.#host.execute(setLink(link.index, { alias: own.alias }))
    this.#host.execute(setLink(link.index, { up: true }))
    return added
  }

  /** Gives the bridge exactly the addresses of its gateways; a foreign device keeps its own as well. Returns the added
   *  addresses, in CIDR form. */
  #putAddresses(index: number, record: NetworkRecord, settings: BridgeSettings, foreign: boolean): readonly string[] {
    const wanted = hostAddresses(record, settings)
    const present = [4, 6].flatMap((family) =>
      this.#host
        .addresses(family as 4 | 6)
        .filter((entry) => entry.index === index && !entry.address.startsWith('fe80:')),
    )
    for (const entry of foreign ? [] : present) {
      if (settings.inhibitIpv4 && !entry.address.includes(':')) continue
      const stays = wanted.some(({ address, prefix }) => address === entry.address && prefix === entry.prefix)
      if (!stays) this.#host.execute(deleteAddress(index, entry.address, entry.prefix))
    }
    const missing = wanted.filter(
      ({ address, prefix }) => !present.some((entry) => entry.address === address && entry.prefix === prefix),
    )
    for (const { address, prefix } of missing) this.#host.execute(addAddress(index, address, prefix))
    return missing.map(({ address, prefix }) => `${address}/${prefix}`)
  }

  #removeAddresses(index: number, record: NetworkRecord): void {
    const settings = settingsOf(record)
    for (const { address, prefix } of hostAddresses(record, settings)) {
      if (settings.addedAddresses?.includes(`${address}/${prefix}`) === false) continue
      try {
        this.#host.execute(deleteAddress(index, address, prefix))
      } catch (error) {
        // The address or the whole device is already gone.
        if (errnoOf(error) !== 'EADDRNOTAVAIL' && errnoOf(error) !== 'ENODEV') throw error
      }
    }
  }
}

/** Deletes the link with that name or index. Does nothing if there is none. */
export function removeLink(host: RouteSocket, link: string | number): void {
  try {
    host.execute(deleteLink(link))
  } catch (error) {
    if (errnoOf(error) !== 'ENODEV') throw error
  }
}

/** Enables IPv4 forwarding between interfaces. */
export function enableForwarding(): void {
  writeNetworkSysctl('ipv4/ip_forward', '1')
}

/** Enables IPv6 forwarding. The kernel then ignores router advertisements on devices with `accept_ra` 1, so devices
 *  that accepted them get 2 and go on accepting them. */
export function enableIpv6Forwarding(): void {
  const directory = '/proc/sys/net/ipv6/conf'
  if (readFileSync(`${directory}/all/forwarding`, 'utf8').trim() === '1') return
  for (const device of readdirSync(directory)) {
    const listens = readFileSync(`${directory}/${device}/accept_ra`, 'utf8').trim() === '1'
    if (listens && device !== 'all') writeNetworkSysctl(`ipv6/conf/${device}/accept_ra`, '2')
  }
  writeNetworkSysctl('ipv6/conf/all/forwarding', '1')
}

/** A free name for the default bridge, preferably the one that it had before. Throws `unavailable` if there is none. */
export function freeBridgeName(links: readonly LinkInfo[], wanted: string | undefined): string {
  const taken = new Set(links.map((link) => link.name))
  if (wanted !== undefined && !taken.has(wanted)) return wanted
  for (let number = 0; number < maxBridges; number += 1) {
    if (!taken.has(`berth${number}`)) return `berth${number}`
  }
  throw new BerthError('unavailable', 'no free name for a bridge')
}

/** A random, locally administered MAC address. */
export function randomMac(): string {
  const bytes = ['02', '42', ...[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0'))]
  return bytes.join(':')
}

/** The addresses that the host should have on the bridge. */
function hostAddresses(record: NetworkRecord, settings: BridgeSettings): { address: string; prefix: number }[] {
  return record.ipam.flatMap(({ subnet: text, gateway }) => {
    const { subnet } = parseCidr(text)
    const mode = subnet.family === 4 ? settings.gatewayMode4 : settings.gatewayMode6
    const inhibited = mode === 'isolated' || (subnet.family === 4 && settings.inhibitIpv4)
    return gateway === '' || inhibited ? [] : [{ address: gateway, prefix: subnet.prefix }]
  })
}

function settingsOf(record: NetworkRecord): BridgeSettings {
  if (record.bridge === undefined) throw internal(`network ${record.name} has no bridge settings`)
  return record.bridge
}

function linkNamed(links: readonly LinkInfo[], name: string): LinkInfo | undefined {
  return links.find((link) => link.name === name)
}
