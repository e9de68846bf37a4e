/** Lets containers reach out on a host with firewalld, which rejects what it forwards for devices that it does not know:
 *  the bridges are put into its zone `trusted`, as Docker does with a zone of its own. A bridge that the user has put
 *  into another zone stays there. Only firewalld's run is changed, not its configuration, so it is done again at each
 *  start and after each reload of firewalld. */
import { errnoOf, isKind, type Logger, messageOf } from '../../base/index.ts'
import { addToFirewalldZone, isUnderFirewalld, removeFromFirewalldZone } from '../../sys/index.ts'

const zone = 'trusted'

export class FirewalldZone {
  readonly #logger: Logger
  readonly #bus: string | undefined
  /** Devices that firewalld knows. */
  #placed = new Set<string>()

  /** `bus` is the address of the host's message bus when it is not the usual one. */
  constructor(logger: Logger, bus: string | undefined) {
    this.#logger = logger
    this.#bus = bus
  }

  /** To be called when firewalld's rules have changed: it may have forgotten. */
  forget(): void {
    this.#placed = new Set()
  }

  /** Puts the bridges that are new into the zone, and forgets those that are gone. Never rejects. */
  async ensure(bridges: readonly string[]): Promise<void> {
    await this.#try(async () => {
      const gone = [...this.#placed].filter((bridge) => !bridges.includes(bridge))
      const missing = bridges.filter((bridge) => !this.#placed.has(bridge))
      if (gone.length + missing.length === 0 || !isUnderFirewalld()) return
      if (gone.length > 0) await removeFromFirewalldZone(zone, gone, this.#bus)
      if (missing.length > 0) await addToFirewalldZone(zone, missing, this.#bus)
      for (const bridge of gone) this.#placed.delete(bridge)
      for (const bridge of missing) this.#placed.add(bridge)
      this.#logger.info('bridges are in a zone of firewalld', { zone, bridges: [...this.#placed].join() })
    })
  }

  /** Takes all out of the zone that were put there. Never rejects. */
  async remove(): Promise<void> {
    await this.#try(async () => {
      if (this.#placed.size > 0 && isUnderFirewalld()) await removeFromFirewalldZone(zone, [...this.#placed], this.#bus)
    })
    this.forget()
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      // A kernel without nftables, or a firewalld that has just ended.
      if (errnoOf(error) !== undefined || isKind(error, 'unavailable')) return
      this.#logger.warn('firewalld may reject packets of containers', { error: messageOf(error) })
    }
  }
}
