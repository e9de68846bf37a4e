/** The daemon's nftables tables. Adding an element takes 0.2 ms and happens at once; taking one out makes the
 *  kernel wait for its processors and hold the packet filter's lock, so removals are gathered and done beside
 *  the main thread, and an addition waits for a removal that is under way.
 *  When the kernel's table is not as expected (somebody flushed the rule set), it is built anew from the state. */
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
  /** Families that have a table: that of IPv6 is made with the first network that needs it. */
  #families: readonly Family[] = [4]
  #leaving: Forwarding[] = []
  #removal: Promise<void> | undefined
  /** Changes of whole chains, one after the other. */
  #changes: Promise<void> = Promise.resolve()

  /** `state` gives what the table is to hold at any moment; with `admission` ports obey the host's own rules. */
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

  /** Puts the tables in place as the state says, in one transaction. */
  async rebuild(): Promise<void> {
    await this.settle()
    const state = this.#state()
    const needsIpv6 = state.networks.some(({ subnets }) => subnets.some(({ family }) => family === 6))
    // One that an earlier run left is replaced too.
    if (needsIpv6 || hasIpv6Table(this.#table)) this.#families = [4, 6]
    await runNft(this.#families.map((family) => formatTable(this.#table, family, state)).join(''))
  }

  /** Lets the packets of a network find their way. The state has it already, or does not yet. */
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

  /** Forgets a network, which the state no longer has. */
  removeNetwork(network: FirewallNetwork): Promise<void> {
    return this.#change(async () => {
      if (!(await this.#tried(formatRemoval(this.#table, network)))) await this.rebuild()
    })
  }

  /** Adds forwardings that the state has already. */
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
    // Clients that sent before the port was there would go on past the container.
    for (const forwarding of forwardings) {
      const { protocol, hostPort } = forwarding.port
      if (protocol === 'udp') this.#forget({ protocol: udp, family: familyOf(forwarding), originalPort: hostPort })
    }
  }

  /** Takes out forwardings that the state no longer has, soon and without making anybody wait. */
  withdraw(forwardings: readonly Forwarding[]): void {
    if (forwardings.length === 0) return
    this.#leaving.push(...forwardings)
    this.#removal ??= this.#remove()
  }

  /** Resolves when no removal is under way. */
  async settle(): Promise<void> {
    while (this.#removal !== undefined) await this.#removal
  }

  /** Takes the tables away. */
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

  /** False when the tables are not what the script was made for. */
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
          // Clients that go on sending would keep their way to an address that another container will have.
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
      // A kernel without this interface: the flows end by their own time-out.
      if (errnoOf(error) === undefined) throw error
      this.#logger.debug('connections are not forgotten', { error: messageOf(error) })
    }
  }
}

function hasIpv6Table(name: string): boolean {
  try {
    return listNftTables(6).includes(name)
  } catch (error) {
    // A kernel without the packet filter's part for IPv6.
    if (errnoOf(error) === undefined) throw error
    return false
  }
}
