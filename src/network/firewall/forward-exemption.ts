/** Lets containers' packets pass the forwarding rules of other programs. The kernel forwards a packet only if every
 *  table accepts it, so an iptables chain FORWARD that drops unknown packets, like Docker's and ufw's, would cut
 *  containers off. If there is such a chain, the daemon adds a chain of its own in front of its rules, which accepts
 *  the bridges' packets. The engine's own table still decides what may enter a bridge. Without such a chain, nothing
 *  is changed. For firewalld see `firewalld-zone.ts`.
 *  Nothing is stored: the chain is checked at each start and when another program changes the table. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, type Logger, messageOf } from '../../base/index.ts'
import {
  changeFilterTable,
  firewalldTable,
  type IptablesFlavour,
  legacyTables,
  listChain,
  listNftTables,
  type NftWatch,
  watchNftTable,
} from '../../sys/index.ts'
import { FirewalldZone } from './firewalld-zone.ts'

export interface ForwardExemptionOptions {
  /** The daemon's tag, for the chain's name. */
  readonly tag: string
  /** Gives the names of the current bridges. */
  readonly bridges: () => readonly string[]
  readonly logger: Logger
  /** Address of the message bus with firewalld. Default: the system bus. */
  readonly systemBus?: string | undefined
}

/** The least time between two checks of the tables: another engine may change them with each of its containers. */
const pauseMs = 1000
const filterTable = 'filter'
const forwardChain = 'FORWARD'

export class ForwardExemption {
  readonly #options: ForwardExemptionOptions
  readonly #chain: string
  readonly #firewalld: FirewalldZone
  #watches: readonly NftWatch[] = []
  #wanted = false
  #work: Promise<void> | undefined
  #closed = false

  constructor(options: ForwardExemptionOptions) {
    this.#options = options
    this.#chain = `BERTH-${options.tag}`
    this.#firewalld = new FirewalldZone(options.logger, options.systemBus)
  }

  /** Checks and repairs the chains, now and whenever another program changes the tables. */
  async start(): Promise<void> {
    await this.look()
    if (this.#closed || this.#watches.length > 0) return
    const onReload = () => {
      this.#firewalld.forget()
      this.update()
    }
    this.#watches = [
      watchNftTable(filterTable, () => this.update(), { additions: true }),
      watchNftTable(firewalldTable, onReload, { additions: true }),
    ]
  }

  /** Checks and repairs the chains once, for example after a bridge was added. Never rejects; failures are logged. */
  async look(): Promise<void> {
    await this.#eachTable((flavour, family) => this.#ensure(flavour, family))
    await this.#firewalld.ensure(this.#options.bridges())
  }

  /** The same in the background, for example after a bridge was removed. */
  update(): void {
    this.#wanted = true
    this.#work ??= this.#run()
  }

  /** Ends the work. With `remove`, also removes the chains. */
  async close({ remove = false }: { readonly remove?: boolean } = {}): Promise<void> {
    this.#closed = true
    for (const watch of this.#watches) watch.close()
    await this.#work
    if (!remove) return
    await this.#firewalld.remove()
    await this.#eachTable((flavour, family) => this.#remove(flavour, family))
  }

  async #run(): Promise<void> {
    try {
      while (this.#wanted && !this.#closed) {
        this.#wanted = false
        await this.look()
        if (!this.#closed) await sleep(pauseMs, undefined, { ref: false })
      }
    } finally {
      this.#work = undefined
    }
  }

  async #eachTable(work: (flavour: IptablesFlavour, family: 4 | 6) => Promise<void>): Promise<void> {
    for (const family of [4, 6] as const) {
      for (const flavour of ['nft', 'legacy'] as const) {
        try {
          if (tableIsThere(flavour, family)) await work(flavour, family)
        } catch (error) {
          if (errnoOf(error) === undefined) {
            this.#options.logger.warn('other programs may drop packets of containers', { error: messageOf(error) })
          }
        }
      }
    }
  }

  async #ensure(flavour: IptablesFlavour, family: 4 | 6): Promise<void> {
    const rules = (await listChain(flavour, family, forwardChain)) ?? []
    const jump = `-A ${forwardChain} -j ${this.#chain}`
    const others = rules.filter((rule) => rule !== jump)
    const isHarmless = others.every((rule) => rule === `-P ${forwardChain} ACCEPT`)
    if (isHarmless) {
      if (rules.includes(jump)) await this.#remove(flavour, family)
      return
    }
    const wanted = this.#options
      .bridges()
      .flatMap((bridge) => [`-A ${this.#chain} -i ${bridge} -j ACCEPT`, `-A ${this.#chain} -o ${bridge} -j ACCEPT`])
    const present = (await listChain(flavour, family, this.#chain)) ?? []
    const isRight = present.length === wanted.length + 1 && wanted.every((rule) => present.includes(rule))
    // The position of the jump is not checked: a rule in front of it may be meant for containers, too.
    const stands = rules.includes(jump)
    if (isRight && stands) return
    const added = stands ? [] : [`-I ${forwardChain} -j ${this.#chain}`]
    // Declaring a chain empties it.
    await changeFilterTable(flavour, family, [`:${this.#chain} - [0:0]`, ...added, ...wanted])
    this.#options.logger.info('containers pass the rules of other programs', { chain: this.#chain, family, flavour })
  }

  async #remove(flavour: IptablesFlavour, family: 4 | 6): Promise<void> {
    const rules = (await listChain(flavour, family, forwardChain)) ?? []
    const jump = `-A ${forwardChain} -j ${this.#chain}`
    if ((await listChain(flavour, family, this.#chain)) === undefined) return
    const jumps = rules.filter((rule) => rule === jump).map((rule) => rule.replace('-A', '-D'))
    await changeFilterTable(flavour, family, [...jumps, `-F ${this.#chain}`, `-X ${this.#chain}`])
  }
}

function tableIsThere(flavour: IptablesFlavour, family: 4 | 6): boolean {
  return (flavour === 'nft' ? listNftTables(family) : legacyTables(family)).includes(filterTable)
}
