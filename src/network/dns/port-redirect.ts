/** Leads port 53 of the embedded DNS's address to the sockets of the server, by an nftables table in the container's
 *  network namespace. The table's name contains the sockets' ports, which a restarted daemon uses again. When a program
 *  of the container removes the rules (`nft flush ruleset`), they are made again, at most once a second. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errnoOf, internal, type Logger, messageOf } from '../../base/index.ts'
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
  #watch: NftWatch | undefined
  #damaged = false
  #repairing = false
  #closed = false

  private constructor(options: PortRedirectOptions) {
    this.#options = options
    this.#table = `berth-dns-${options.ports.udp}-${options.ports.tcp}`
  }

  /** The ports to which a redirect of an earlier run leads in the calling thread's network namespace; 0 if there is
   *  none. Throws `internal` if the kernel has no nftables. */
  static earlierPorts(): SocketPorts {
    const [, udp = '0', tcp = '0'] = tableName.exec(earlierTables()[0] ?? '') ?? []
    return { udp: Number(udp), tcp: Number(tcp) }
  }

  /** Makes the redirect in the calling thread's network namespace, which is the one at `netnsPath`. `ready` resolves when
   *  the redirect works, and rejects with `internal` when the kernel refuses it. */
  static open(options: PortRedirectOptions): { readonly redirect: PortRedirect; readonly ready: Promise<void> } {
    const redirect = new PortRedirect(options)
    const tables = earlierTables()
    // A redirect of an earlier run to the same ports stays.
    const isThere = tables.length === 1 && tables[0] === redirect.#table
    const made = isThere ? Promise.resolve() : redirect.#make(tables)
    if (tables.length === 0 || isThere) redirect.#startWatch()
    else return { redirect, ready: made.then(() => redirect.#watchFromOutside()) }
    return { redirect, ready: made }
  }

  /** Ends the watch. The rules stay: they end with the namespace. Idempotent. */
  close(): void {
    this.#closed = true
    this.#watch?.close()
    this.#watch = undefined
  }

  /** The calling thread must be in the namespace. The tables `instead` are replaced. */
  async #make(instead: readonly string[]): Promise<void> {
    const { address, ports } = this.#options
    const redirects: readonly LoopbackRedirect[] = [
      { protocol: 'udp', port: dnsPort, target: ports.udp },
      { protocol: 'tcp', port: dnsPort, target: ports.tcp },
    ]
    try {
      await redirectLoopbackPorts(this.#table, address, redirects, { instead })
    } catch (error) {
      throw refusal(error)
    }
  }

  #startWatch(): void {
    if (this.#closed) return
    this.#watch = watchNftTable(this.#table, () => this.#onLoss(), { ownChanges: true })
  }

  /** Starts the watch after work in the background, and notices what was removed in the meantime. */
  #watchFromOutside(): void {
    if (this.#closed) return
    const isThere = inNetworkNamespace(this.#options.netnsPath, () => {
      this.#startWatch()
      return earlierTables().includes(this.#table)
    })
    if (!isThere) this.#onLoss()
  }

  #onLoss(): void {
    this.#damaged = true
    if (!this.#repairing) void this.#repair()
  }

  /** Repeats a failed repair every second, until it works or the server is closed. */
  async #repair(): Promise<void> {
    this.#repairing = true
    const { netnsPath, logger } = this.#options
    let failed = false
    while (this.#damaged && !this.#closed) {
      this.#damaged = false
      // The repair itself removes what is left of the table.
      this.#watch?.close()
      this.#watch = undefined
      try {
        await inNetworkNamespace(netnsPath, () => this.#make(earlierTables()))
        this.#watchFromOutside()
        logger.debug('a program of the container removed the rules of the embedded DNS; they were made again')
      } catch (error) {
        // The container can end at any moment, and its namespace with it.
        if (!failed && !this.#closed) logger.error('the embedded DNS is out of reach', { error: messageOf(error) })
        failed = true
        this.#damaged = true
      }
      await sleep(pauseMs, undefined, { ref: false })
    }
    this.#repairing = false
  }
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
