/** Watches the daemon's nftables table. When another program removes something from it (`nft flush ruleset`, the
 *  reload of a firewall), the table is rebuilt at once. Live connections survive: the kernel remembers their
 *  translation, and goes on with it while the hold (`holdNat`) is there. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, type Logger, messageOf } from '../../base/index.ts'
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
  #watch: NftWatch | undefined
  #hold: NatHold | undefined
  #damaged = false
  #work: Promise<void> | undefined
  #closed = false

  constructor(options: FirewallRepairOptions) {
    this.#options = options
  }

  /** Begins to watch. The table must already be in place. */
  start(): void {
    if (this.#watch !== undefined) return
    this.#watch = watchNftTable(this.#options.table, () => this.#onLoss())
    this.#renewHold()
  }

  /** Ends the watch and waits for a repair under way. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watch?.close()
    this.#hold?.close()
    this.#hold = undefined
    await this.#work
  }

  #onLoss(): void {
    this.#damaged = true
    this.#work ??= this.#repair()
  }

  async #repair(): Promise<void> {
    const { logger, rebuild } = this.#options
    try {
      while (this.#damaged && !this.#closed) {
        this.#damaged = false
        try {
          await rebuild()
          logger.warn('another program changed the packet filter table; it was built anew')
          this.#renewHold()
        } catch (error) {
          logger.error('cannot build the packet filter table anew', { error: messageOf(error) })
          this.#damaged = true
        }
        if (!this.#closed) await sleep(pauseMs, undefined, { ref: false })
      }
    } finally {
      this.#work = undefined
    }
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
