/** Lets containers reach other networks on a host with firewalld, which rejects forwarded packets of unknown devices.
 *  The bridges are added to its zone `trusted` (Docker makes a zone of its own). A bridge that the user assigned to
 *  another zone stays there. Only firewalld's runtime state changes, not its configuration, so the bridges are added
 *  again at each start and after each reload of firewalld. */
import { errnoOf, isKind, type Logger, messageOf } from '../../base/index.ts'
import { addToFirewalldZone, isUnderFirewalld, removeFromFirewalldZone } from '../../sys/index.ts'

const zone = 'trusted'

export class FirewalldZone {
  readonly #logger: Logger
  readonly #bus: string | undefined
  /** Bridges that were added to the zone. */
  #placed = new Set<string>()

  /** `bus` is the address of the message bus; undefined for the system bus. */
  constructor(logger: Logger, bus: string | undefined) {
    this.#logger = logger
    this.#bus = bus
  }

  /** To be called when firewalld's rules have changed: it may have lost the bridges. */
  forget(): void {
    this.#placed = new Set()
  }

  /** Adds new bridges to the zone and removes those that are gone. Never rejects; failures are logged. */
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

  /** Removes all added bridges from the zone. Never rejects. */
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
      // The kernel has no nftables, or firewalld has just ended.
      if (errnoOf(error) !== undefined || isKind(error, 'unavailable')) return
      this.#logger.warn('firewalld may reject packets of containers', { error: messageOf(error) })
    }
  }
}
