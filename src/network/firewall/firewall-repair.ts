/** Watches the daemon's nftables table. When another program removes something from it (`nft flush ruleset`, the
 *  reload of a firewall), the table is rebuilt at once. Live connections survive: the kernel remembers their
 *  translation, and goes on with it while the hold (`holdNat`) is there. */
import { randomBytes } from 'node:crypto'
import { errnoOf, type Logger, messageOf, RepairLoop } from '../../base/index.ts'
import { holdNat, type NatHold, type NftWatch, watchNftTable } from '../../sys/index.ts'

export interface FirewallRepairOptions {
  readonly table: string
  /** Writes the whole table. */
  readonly rebuild: () => Promise<void>
  readonly logger: Logger
}

/** The least time between two repairs. */
const pauseMs = 1000

export class FirewallRepair {
  readonly #options: FirewallRepairOptions
  readonly #loop: RepairLoop
  #watch: NftWatch | undefined
  #hold: NatHold | undefined
  #closed = false

  constructor(options: FirewallRepairOptions) {
    this.#options = options
    this.#loop = new RepairLoop({
      repair: () => this.#repair(),
      onFailure: (error) =>
        options.logger.error('cannot build the packet filter table anew', { error: messageOf(error) }),
      pauseMs,
    })
  }

  /** Begins to watch. The table must already be in place. */
  start(): void {
    if (this.#watch !== undefined) return
    this.#watch = watchNftTable(this.#options.table, () => this.#loop.onDamage())
    this.#renewHold()
  }

  /** Ends the watch and waits for a repair under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watch?.close()
    this.#hold?.close()
    this.#hold = undefined
    await this.#loop.close()
  }

  async #repair(): Promise<void> {
    await this.#options.rebuild()
    this.#options.logger.warn('another program changed the packet filter table; it was built anew')
    this.#renewHold()
  }

  /** Replaces the hold. Each has a new name, so that a saved rule set that contains an older one can still be
   *  loaded. */
  #renewHold(): void {
    if (this.#closed) return
    const before = this.#hold
    try {
      this.#hold = holdNat(`${this.#options.table}-hold-${randomBytes(3).toString('hex')}`)
      before?.close()
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      // Linux before 5.12 has no holds. Connections that send at the moment of a flush then break.
      this.#options.logger.debug('address translation is not held', { error: messageOf(error) })
    }
  }
}
