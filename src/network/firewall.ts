/** The daemon's nftables table. Adding an element takes 0.2 ms and happens at once; taking one out makes the
 *  kernel wait for its processors and hold the packet filter's lock, so removals are gathered and done beside
 *  the main thread, and an addition waits for a removal that is under way.
 *  When the kernel's table is not as expected (somebody flushed the rule set), it is built anew from the state. */
import { errnoOf, type Logger, messageOf } from '../base/index.ts'
import { addMapElements, deleteMapElements, type FlowFilter, forgetFlows, runNft } from '../sys/index.ts'
import { elementOf, type FirewallState, type Forwarding, formatTable } from './firewall-rules.ts'

const udp = 17

export class Firewall {
  readonly #table: string
  readonly #state: () => FirewallState
  readonly #logger: Logger
  #leaving: Forwarding[] = []
  #removal: Promise<void> | undefined

  /** `state` gives what the table is to hold at any moment. */
  constructor(table: string, state: () => FirewallState, logger: Logger) {
    this.#table = table
    this.#state = state
    this.#logger = logger
  }

  /** Puts the table in place as the state says, in one transaction. */
  async rebuild(): Promise<void> {
    await this.settle()
    await runNft(formatTable(this.#table, this.#state()))
  }

  /** Adds forwardings that the state has already. */
  async publish(forwardings: readonly Forwarding[]): Promise<void> {
    if (forwardings.length === 0) return
    await this.settle()
    try {
      addMapElements(this.#table, forwardings.map(elementOf))
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      this.#logger.warn('packet filter table differs, building it anew', { error: messageOf(error) })
      await this.rebuild()
    }
    // Clients that sent before the port was there would go on past the container.
    for (const { port } of forwardings) {
      if (port.protocol === 'udp') this.#forget({ protocol: udp, originalPort: port.hostPort })
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

  /** Takes the table away. */
  async destroy(): Promise<void> {
    await this.settle()
    await runNft(`table ip ${this.#table} {}\ndelete table ip ${this.#table}\n`)
  }

  async #remove(): Promise<void> {
    try {
      while (this.#leaving.length > 0) {
        const leaving = this.#leaving
        this.#leaving = []
        await deleteMapElements(this.#table, leaving.map(elementOf))
        // Clients that go on sending would keep their way to an address that another container will have.
        const addresses = leaving.filter(({ port }) => port.protocol === 'udp').map(({ address }) => address)
        for (const replySource of new Set(addresses)) this.#forget({ protocol: udp, replySource })
      }
    } catch (error) {
      this.#logger.warn('packet filter table differs, building it anew', { error: messageOf(error) })
      this.#leaving = []
      await runNft(formatTable(this.#table, this.#state())).catch((cause: unknown) => {
        this.#logger.error('cannot build the packet filter table', { error: messageOf(cause) })
      })
    } finally {
      this.#removal = undefined
    }
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
