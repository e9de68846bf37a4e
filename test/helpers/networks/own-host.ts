/** A test's own host: a network namespace in which a daemon runs, and a neighbor behind a cable. Firewalls can be
 *  set up, flushed and reloaded there without affecting the machine. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import {
  addAddress,
  addDefaultRoute,
  connectStreamSocket,
  createBridge,
  createNetworkNamespace,
  createVeth,
  deleteNetworkNamespace,
  inNetworkNamespace,
  RouteSocket,
  setLink,
} from '../../../src/sys/index.ts'
import { type CommandOptions, type CommandResult, runCommand } from '../command.ts'
import { TestDaemon } from '../daemons/daemon.ts'

/** Addresses from the range for documentation (RFC 5737): no real network of the machine has them. */
const addresses = { host: '198.51.100.1', neighbour: '198.51.100.2' } as const

export class OwnHost implements AsyncDisposable {
  /** The host's namespace. */
  readonly netns: string
  /** The neighbor's namespace. */
  readonly outside: string
  readonly address = addresses.host
  readonly outsideAddress = addresses.neighbour
  #daemon: TestDaemon | undefined

  private constructor() {
    const tag = randomBytes(3).toString('hex')
    this.netns = `/tmp/boh-${tag}`
    this.outside = `/tmp/bon-${tag}`
  }

  /** Creates both namespaces; the host's default route leads to the neighbor. */
  static make(): OwnHost {
    const host = new OwnHost()
    createNetworkNamespace(host.outside)
    const fd = openSync(host.outside, 'r')
    try {
      createNetworkNamespace(host.netns, () => host.#connect(fd))
    } finally {
      closeSync(fd)
    }
    inNetworkNamespace(host.outside, () => {
      const route = RouteSocket.open()
      const eth0 = route.findLink('eth0')?.index ?? 0
      route.execute(setLink(1, { up: true }), setLink(eth0, { up: true }), addAddress(eth0, addresses.neighbour, 24))
      route.execute(addDefaultRoute(eth0, addresses.host))
      route.close()
    })
    return host
  }

  /** Starts a daemon on the host (one at a time); it ends with the host. */
  async startDaemon(flags: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<TestDaemon> {
    this.#daemon = await TestDaemon.start({ flags, env, netns: this.netns })
    await this.#daemon.loadBusybox()
    return this.#daemon
  }

  /** Runs a program on the host; it must succeed. */
  run(...command: string[]): string {
    return execFileSync('nsenter', [`--net=${this.netns}`, ...command], { encoding: 'utf8', stdio: 'pipe' })
  }

  /** Runs a program on the neighbor (or, with `netns`, in another namespace). */
  runOutside(command: readonly string[], options?: CommandOptions, netns = this.outside): Promise<CommandResult> {
    return runCommand('nsenter', [`--net=${netns}`, ...command], options)
  }

  /** The text that the neighbor gets of a page (`PORT` or `PORT/PATH`), or 'failed'. */
  async page(page: number | string, address: string = this.address, netns = this.outside): Promise<string> {
    const { code, stdout } = await this.runOutside(
      ['curl', '-sf', '-m', '1', '--noproxy', '*', `http://${address}:${page}`],
      {},
      netns,
    )
    return code === 0 ? stdout.trim() : 'failed'
  }

  /** Opens a connection from the neighbor. */
  connect(port: number, address: string = this.address, netns = this.outside): Socket {
    return new Socket({ fd: inNetworkNamespace(netns, () => connectStreamSocket(address, port)) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon?.[Symbol.asyncDispose]()
    deleteNetworkNamespace(this.outside)
    deleteNetworkNamespace(this.netns)
  }

  /** The network card is a bridge: made here, with the other end as its only port. */
  #connect(outside: number): void {
    const route = RouteSocket.open()
    route.execute(createBridge({ name: 'lan0', mac: '02:00:00:00:00:01', mtu: 1500 }))
    const lan = route.findLink('lan0')?.index ?? 0
    route.execute(setLink(1, { up: true }), addAddress(lan, addresses.host, 24), setLink(lan, { up: true }))
    const peer = { name: 'eth0', mac: '02:00:00:00:00:02', namespaceFd: outside }
    route.execute(createVeth({ name: 'port0', mtu: 1500, master: lan, peer }), setLink('port0', { up: true }))
    route.execute(addDefaultRoute(lan, addresses.neighbour))
    route.close()
  }
}
