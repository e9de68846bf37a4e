/** Watches over the daemon's packet filter table: when another program takes something out of it (`nft flush ruleset`,
 *  the reload of a firewall), it is built anew at once. Connections that live are not broken meanwhile: the kernel
 *  remembers their translation and, while the hold stands, goes on with it. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, type Logger, messageOf } from '../../base/index.ts'
import { holdNat, type NatHold, type NftWatch, watchNftTable } from '../../sys/index.ts'

export interface FirewallRepairOptions {
  readonly table: string
  /** Puts the whole table in place. */
  readonly rebuild: () => Promise<void>
  readonly logger: Logger
}

/** Two repairs are at least this far apart, whatever another program does. */
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

  /** Begins to watch; to be called when the table is in place. */
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

  /** Each hold has a name of its own: a rule set that somebody saved with an older one in it can still be loaded. */
  #renewHold(): void {
    if (this.#closed) return
    const before = this.#hold
    try {
      this.#hold = holdNat(`${this.#options.table}-hold-${randomBytes(3).toString('hex')}`)
      before?.close()
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      // Before Linux 5.12: connections that send in the very moment of a flush are broken.
      this.#options.logger.debug('address translation is not held', { error: messageOf(error) })
    }
  }
}
