/** The daemon's nftables tables. An element is added at once, in 0.2 ms. For a removal the kernel waits for all
 *  processors and holds the lock of nftables meanwhile. So removals are collected and done beside the main thread, and
 *  an addition waits for a removal that is under way.
 *  If the kernel's table differs from the expected one (another program flushed the rules), it is rebuilt from the
 *  state. */
import { errnoOf, type Logger, messageOf } from '../../base/index.ts'
import {
  addMapElements,
  deleteMapElements,
  type FlowFilter,
  forgetFlows,
  listNftTables,
  type MapElement,
  runNft,
} from '../../sys/index.ts'
import type { Family } from '../record/ip.ts'
import {
  type Admission,
  elementsOf,
  type FirewallNetwork,
  type FirewallState,
  type Forwarding,
  familyOf,
  formatAddition,
  formatRemoval,
  formatTable,
  tableOf,
} from './firewall-rules.ts'

const udp = 17

export class Firewall {
  readonly #table: string
  readonly #state: () => FirewallState
  readonly #logger: Logger
  readonly #admission: Admission | undefined
  /** Families that have a table. The one for IPv6 is made with the first network that needs it. */
  #families: readonly Family[] = [4]
  #leaving: Forwarding[] = []
  #removal: Promise<void> | undefined
  /** Resolves when the last requested change of chains ends: they run one after the other. */
  #changes: Promise<void> = Promise.resolve()

  /** `state` gives what the tables should hold now. With `admission`, the host's own rules decide who reaches published
   *  ports. */
  constructor(
    table: string,
    state: () => Omit<FirewallState, 'admission'>,
    logger: Logger,
    admission: Admission | undefined,
  ) {
    this.#table = table
    this.#state = () => ({ ...state(), admission })
    this.#logger = logger
    this.#admission = admission
  }

  /** Writes the tables from the state, in one transaction. */
  async rebuild(): Promise<void> {
    await this.settle()
    const state = this.#state()
    const needsIpv6 = state.networks.some(({ subnets }) => subnets.some(({ family }) => family === 6))
    // A table for IPv6 that an earlier run left is replaced, too.
    if (needsIpv6 || hasIpv6Table(this.#table)) this.#families = [4, 6]
    await runNft(this.#families.map((family) => formatTable(this.#table, family, state)).join(''))
  }

  /** Adds the chains of a network. It may already be in the state. */
  addNetwork(network: FirewallNetwork): Promise<void> {
    return this.#change(async () => {
      const isReady = network.subnets.every(({ family }) => this.#families.includes(family))
      if (isReady && (await this.#tried(formatAddition(this.#table, network)))) return
      const state = this.#state()
      const others = state.networks.filter(({ id }) => id !== network.id)
      if (network.subnets.some(({ family }) => family === 6)) this.#families = [4, 6]
      const complete = { ...state, networks: [...others, network] }
      await runNft(this.#families.map((family) => formatTable(this.#table, family, complete)).join(''))
    })
  }

  /** Removes the chains of a network, which must no longer be in the state. */
  removeNetwork(network: FirewallNetwork): Promise<void> {
    return this.#change(async () => {
      if (!(await this.#tried(formatRemoval(this.#table, network)))) await this.rebuild()
    })
  }

  /** Adds forwardings, which must already be in the state. */
  async publish(forwardings: readonly Forwarding[]): Promise<void> {
    if (forwardings.length === 0) return
    await this.settle()
    try {
      for (const [family, group] of Map.groupBy(forwardings, familyOf)) {
        addMapElements(tableOf(this.#table, family), this.#elements(group))
      }
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      this.#logger.warn('packet filter table differs, building it anew', { error: messageOf(error) })
      await this.rebuild()
    }
    // Without this, packets of UDP clients that sent before the port was published would still miss the container.
    for (const forwarding of forwardings) {
      const { protocol, hostPort } = forwarding.port
      if (protocol === 'udp') this.#forget({ protocol: udp, family: familyOf(forwarding), originalPort: hostPort })
    }
  }

  /** Removes forwardings, which must no longer be in the state, in the background. */
  withdraw(forwardings: readonly Forwarding[]): void {
    if (forwardings.length === 0) return
    this.#leaving.push(...forwardings)
    this.#removal ??= this.#remove()
  }

  /** Resolves when all removals are done. */
  async settle(): Promise<void> {
    while (this.#removal !== undefined) await this.#removal
  }

  /** Deletes the tables. */
  async destroy(): Promise<void> {
    await this.settle()
    await this.#changes
    for (const family of this.#families) {
      const { family: ip, name } = tableOf(this.#table, family)
      await runNft(`table ${ip} ${name} {}\ndelete table ${ip} ${name}\n`)
    }
  }

  #change(work: () => Promise<void>): Promise<void> {
    const result = this.#changes.then(async () => {
      await this.settle()
      await work()
    })
    this.#changes = result.catch(() => {})
    return result
  }

  /** Runs a script; false if it fails because the tables differ from the expected ones. */
  async #tried(script: string): Promise<boolean> {
    try {
      await runNft(script)
      return true
    } catch (error) {
      this.#logger.warn('packet filter table differs, building it anew', { error: messageOf(error) })
      return false
    }
  }

  async #remove(): Promise<void> {
    try {
      while (this.#leaving.length > 0) {
        const leaving = this.#leaving
        this.#leaving = []
        for (const [family, group] of Map.groupBy(leaving, familyOf)) {
          await deleteMapElements(tableOf(this.#table, family), this.#elements(group))
          // Without this, packets of UDP clients would still reach the address, which another container may get next.
          const addresses = group.filter(({ port }) => port.protocol === 'udp').map(({ address }) => address)
          for (const replySource of new Set(addresses)) this.#forget({ protocol: udp, family, replySource })
        }
      }
    } catch (error) {
      this.#logger.warn('packet filter table differs, building it anew', { error: messageOf(error) })
      this.#leaving = []
      const state = this.#state()
      await runNft(this.#families.map((family) => formatTable(this.#table, family, state)).join('')).catch(
        (cause: unknown) => {
          this.#logger.error('cannot build the packet filter table', { error: messageOf(cause) })
        },
      )
    } finally {
      this.#removal = undefined
    }
  }

  #elements(forwardings: readonly Forwarding[]): MapElement[] {
    return forwardings.flatMap((forwarding) => elementsOf(forwarding, this.#admission))
  }

  #forget(filter: FlowFilter): void {
    try {
      forgetFlows(filter)
    } catch (error) {
      // This kernel has no interface for it. The flows expire by themselves.
      if (errnoOf(error) === undefined) throw error
      this.#logger.debug('connections are not forgotten', { error: messageOf(error) })
    }
  }
}

function hasIpv6Table(name: string): boolean {
  try {
    return listNftTables(6).includes(name)
  } catch (error) {
    // This kernel has no nftables for IPv6.
    if (errnoOf(error) === undefined) throw error
    return false
  }
}
