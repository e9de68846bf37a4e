/** The names and addresses of containers on each network, in memory only. At boot they are registered again from the
 *  endpoints of running containers. A lookup takes the same time however many containers there are. */

import { normalName, reverseName } from './message.ts'
import type { NamedEndpoint, NamedSandbox } from './name-service.ts'

/** The part of the names that one container sees: its networks and its private aliases. */
export type NameView = Pick<NamedSandbox, 'networkIds' | 'links'>

/** The addresses of a name, in rotating order. One of the lists may be empty. */
export interface NameAddresses {
  readonly ipv4: readonly string[]
  readonly ipv6: readonly string[]
}

interface NamedNetwork {
  name: string
  readonly byContainer: Map<string, NamedEndpoint>
  readonly byName: Map<string, Set<NamedEndpoint>>
  readonly byReverseName: Map<string, NamedEndpoint>
}

export class NameTable {
  readonly #networks = new Map<string, NamedNetwork>()
  /** Counts answers, so that each answer with several addresses begins with another one. */
  #turn = 0

  /** Adds an endpoint, or replaces the container's on that network. */
  put(endpoint: NamedEndpoint): void {
    this.remove(endpoint.networkId, endpoint.containerId)
    const network = this.#networks.get(endpoint.networkId) ?? emptyNetwork(endpoint.networkName)
    this.#networks.set(endpoint.networkId, network)
    network.name = normalName(endpoint.networkName)
    network.byContainer.set(endpoint.containerId, endpoint)
    for (const name of endpoint.names.map(normalName)) {
      const holders = network.byName.get(name)
      if (holders === undefined) network.byName.set(name, new Set([endpoint]))
      else holders.add(endpoint)
    }
    for (const address of addressesOf(endpoint)) network.byReverseName.set(reverseName(address), endpoint)
  }

  /** Removes an endpoint. Does nothing if it is unknown. */
  remove(networkId: string, containerId: string): void {
    const network = this.#networks.get(networkId)
    const endpoint = network?.byContainer.get(containerId)
    if (network === undefined || endpoint === undefined) return
    network.byContainer.delete(containerId)
    for (const name of endpoint.names.map(normalName)) {
      const holders = network.byName.get(name)
      holders?.delete(endpoint)
      if (holders?.size === 0) network.byName.delete(name)
    }
    for (const address of addressesOf(endpoint)) {
      const key = reverseName(address)
      if (network.byReverseName.get(key) === endpoint) network.byReverseName.delete(key)
    }
    if (network.byContainer.size === 0) this.#networks.delete(networkId)
  }

  /** Looks up a name for the container of `view`: on its networks in their order, private aliases first, then as
   *  `NAME.NETWORK`. `name` is in normal form. Undefined if no container has the name. */
  find(view: NameView, name: string): NameAddresses | undefined {
    for (const id of view.networkIds) {
      const found = this.#findOn(view, id, name)
      if (found !== undefined) return found
    }
    for (const id of view.networkIds) {
      const suffix = `.${this.#networks.get(id)?.name ?? ''}`
      if (suffix === '.' || !name.endsWith(suffix)) continue
      const found = this.#findOn(view, id, name.slice(0, -suffix.length))
      if (found !== undefined) return found
    }
    return undefined
  }

  /** The name of the container with an address, as `container.network`. `name` is the reverse name of the address in
   *  normal form. Undefined if no container has it. */
  findReverse(view: NameView, name: string): string | undefined {
    for (const id of view.networkIds) {
      const endpoint = this.#networks.get(id)?.byReverseName.get(name)
      if (endpoint !== undefined) return `${endpoint.names[0] ?? endpoint.containerId}.${endpoint.networkName}`
    }
    return undefined
  }

  #findOn(view: NameView, networkId: string, name: string): NameAddresses | undefined {
    const network = this.#networks.get(networkId)
    if (network === undefined) return undefined
    const targets = view.links.filter((link) => link.networkId === networkId && normalName(link.alias) === name)
    const linked = targets.flatMap((link) => holderOf(network, link.target) ?? [])
    const holders = linked.length > 0 ? linked : [...(network.byName.get(name) ?? [])]
    if (holders.length === 0) return undefined
    this.#turn += 1
    return {
      ipv4: rotated(holders.map((holder) => holder.ipv4).filter(isThere), this.#turn),
      ipv6: rotated(holders.map((holder) => holder.ipv6).filter(isThere), this.#turn),
    }
  }
}

/** The target of a link: the container with that name (the first of its names), that id or that short id. */
function holderOf(network: NamedNetwork, target: string): NamedEndpoint | undefined {
  const name = normalName(target)
  const named = [...(network.byName.get(name) ?? [])].find(({ names: [first = ''] }) => normalName(first) === name)
  if (named !== undefined) return named
  return network.byContainer.get(target) ?? [...network.byContainer.values()].find((one) => one.names.includes(target))
}

function emptyNetwork(name: string): NamedNetwork {
  return { name: normalName(name), byContainer: new Map(), byName: new Map(), byReverseName: new Map() }
}

function addressesOf({ ipv4, ipv6 }: NamedEndpoint): string[] {
  return [ipv4, ipv6].filter(isThere)
}

function isThere(address: string): boolean {
  return address !== ''
}

function rotated<T>(list: readonly T[], turn: number): readonly T[] {
  if (list.length < 2) return list
  const start = turn % list.length
  return [...list.slice(start), ...list.slice(0, start)]
}
