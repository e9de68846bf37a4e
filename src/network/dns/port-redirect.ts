/** Leads port 53 of the embedded DNS's address to the sockets of the server, by an nftables table in the container's
 *  network namespace. The table's name contains the sockets' ports, which a restarted daemon uses again. When a program
 *  of the container removes the rules (`nft flush ruleset`), they are made again, at most once a second. */
import { errnoOf, internal, type Logger, messageOf, RepairLoop } from '../../base/index.ts'
import {
  hostInfo,
  inNetworkNamespace,
  type LoopbackRedirect,
  listNftTables,
  type NftWatch,
  redirectLoopbackPorts,
  watchNftTable,
} from '../../sys/index.ts'

/** The ports of the server's sockets. */
export interface SocketPorts {
  readonly udp: number
  readonly tcp: number
}

/** What `earlierRedirects` finds. */
export interface EarlierRedirects {
  /** Names of their nftables tables. */
  readonly tables: readonly string[]
  /** The ports to which the first of them leads; 0 if there is none. */
  readonly ports: SocketPorts
}

/** What `PortRedirect.open` needs. */
export interface PortRedirectOptions {
  /** The file on which the network namespace is mounted. */
  readonly netnsPath: string
  readonly address: string
  readonly ports: SocketPorts
  readonly logger: Logger
}

const dnsPort = 53
const tableName = /^berth-dns-(\d+)-(\d+)$/
/** The least time between two repairs, so that a container that removes the rules all the time costs little. */
const pauseMs = 1000

export class PortRedirect {
  readonly #options: PortRedirectOptions
  readonly #table: string
  readonly #loop: RepairLoop
  #watch: NftWatch | undefined
  #closed = false

  private constructor(options: PortRedirectOptions) {
    this.#options = options
    this.#table = `berth-dns-${options.ports.udp}-${options.ports.tcp}`
    this.#loop = new RepairLoop({
      repair: () => this.#repair(),
      onFailure: (error, isRepeated) => {
        if (!isRepeated) options.logger.error('the embedded DNS is out of reach', { error: messageOf(error) })
      },
      pauseMs,
    })
  }

  /** Makes the redirect in the calling thread's network namespace, which is the one at `netnsPath`, instead of the
   *  `earlier` ones. `ready` resolves when the redirect works, and rejects with `internal` when the kernel refuses it. */
  static open(
    options: PortRedirectOptions,
    earlier: EarlierRedirects,
  ): { readonly redirect: PortRedirect; readonly ready: Promise<void> } {
    const redirect = new PortRedirect(options)
    const { tables } = earlier
    // A redirect of an earlier run to the same ports stays.
    const isThere = tables.length === 1 && tables[0] === redirect.#table
    return { redirect, ready: isThere ? redirect.#adopt() : redirect.#make(tables) }
  }

  /** Ends the watch. The rules stay: they end with the namespace. Idempotent. */
  close(): void {
    this.#closed = true
    this.#endWatch()
    void this.#loop.close()
  }

  async #adopt(): Promise<void> {
    this.#startWatch()
  }

  /** Makes the rules and starts the watch. The calling thread must be in the namespace. The tables `instead` are
   *  replaced. */
  async #make(instead: readonly string[]): Promise<void> {
    const { netnsPath, address, ports } = this.#options
    const redirects: readonly LoopbackRedirect[] = [
      { protocol: 'udp', port: dnsPort, target: ports.udp },
      { protocol: 'tcp', port: dnsPort, target: ports.tcp },
    ]
    try {
      const made = redirectLoopbackPorts(this.#table, address, redirects, { instead })
      // Nothing is replaced, so the rules are there already, and the thread is still in the namespace.
      if (instead.length === 0) this.#startWatch()
      await made
    } catch (error) {
      throw refusal(error)
    }
    if (instead.length === 0 || this.#closed) return
    const isThere = inNetworkNamespace(netnsPath, () => {
      this.#startWatch()
      return earlierTables().includes(this.#table)
    })
    // It was removed before the watch began.
    if (!isThere) this.#loop.onDamage()
  }

  #startWatch(): void {
    if (this.#closed) return
    this.#watch = watchNftTable(this.#table, () => this.#loop.onDamage(), { ownChanges: true })
  }

  #endWatch(): void {
    this.#watch?.close()
    this.#watch = undefined
  }

  async #repair(): Promise<void> {
    // The repair itself removes what is left of the table.
    this.#endWatch()
    await inNetworkNamespace(this.#options.netnsPath, () => this.#make(earlierTables()))
    this.#options.logger.debug('a program of the container removed the rules of the embedded DNS; they were made again')
  }
}

/** Redirects of an earlier run in the calling thread's network namespace. Throws `internal` if the kernel has no
 *  nftables. */
export function earlierRedirects(): EarlierRedirects {
  const tables = earlierTables()
  const [, udp = '0', tcp = '0'] = tableName.exec(tables[0] ?? '') ?? []
  return { tables, ports: { udp: Number(udp), tcp: Number(tcp) } }
}

function earlierTables(): string[] {
  try {
    return listNftTables(4).filter((name) => tableName.test(name))
  } catch (error) {
    throw refusal(error)
  }
}

function refusal(cause: unknown): unknown {
  if (errnoOf(cause) === undefined) return cause
  const kernel = `Linux ${hostInfo().kernelVersion}`
  const what = 'names of containers in user-defined networks: the kernel refuses the nftables rules of the embedded DNS'
  return internal(`${what} (${kernel}; ${messageOf(cause)})`, { cause })
}
