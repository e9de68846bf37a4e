/** The embedded DNS: one table of names, and a server at 127.0.0.11 in every container on networks with names. Nothing
 *  is stored. At boot the networks register all names again, and the redirects in the namespaces show which ports the
 *  sockets had. While no daemon runs, questions get no answer. */
import { type Logger, messageOf } from '../../base/index.ts'
import { inNetworkNamespace } from '../../sys/index.ts'
import { type Answer, DnsServer } from './dns-server.ts'
import { Forwarder, type Upstream, UpstreamSockets } from './forwarder.ts'
import type { NamedEndpoint, NamedSandbox, NameService } from './name-service.ts'
import { NameTable } from './name-table.ts'
import { resolve } from './resolver.ts'

interface Served {
  sandbox: NamedSandbox
  readonly server: DnsServer
  readonly forwarder: Forwarder
  /** Sockets in the container's namespace, for servers that are asked from there. */
  readonly own: UpstreamSockets
}

/** The DNS of all containers of one daemon. See `NameService` for its methods. */
export class EmbeddedDns implements NameService {
  readonly #names = new NameTable()
  readonly #served = new Map<string, Served>()
  readonly #fromHost = new UpstreamSockets((work) => work())
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  putEndpoint(endpoint: NamedEndpoint): void {
    this.#names.put(endpoint)
  }

  removeEndpoint(networkId: string, containerId: string): void {
    this.#names.remove(networkId, containerId)
  }

  async openSandbox(sandbox: NamedSandbox): Promise<void> {
    const { containerId, netnsPath } = sandbox
    const before = this.#served.get(containerId)
    if (before?.sandbox.netnsPath === netnsPath) {
      before.sandbox = sandbox
      before.forwarder.upstream = this.#upstream(sandbox, before.own)
      return
    }
    this.closeSandbox(containerId)
    const own = new UpstreamSockets((work) => inNetworkNamespace(netnsPath, work))
    const forwarder = new Forwarder(this.#upstream(sandbox, own))
    const answer: Answer = (message, transport) => {
      const view = this.#served.get(containerId)?.sandbox ?? sandbox
      return resolve(this.#names, view, forwarder, message, transport)
    }
    const { server, ready } = DnsServer.open(netnsPath, answer, this.#logger.child({ container: containerId }))
    const served = { sandbox, server, forwarder, own }
    this.#served.set(containerId, served)
    try {
      await ready
    } catch (error) {
      this.#logger.error('the embedded DNS can not be reached', { container: containerId, error: messageOf(error) })
      if (this.#served.get(containerId) === served) this.closeSandbox(containerId)
      throw error
    }
  }

  closeSandbox(containerId: string): void {
    const served = this.#served.get(containerId)
    if (served === undefined) return
    this.#served.delete(containerId)
    served.server.close()
    served.own.close()
  }

  close(): void {
    for (const containerId of [...this.#served.keys()]) this.closeSandbox(containerId)
    this.#fromHost.close()
  }

  #upstream(sandbox: NamedSandbox, own: UpstreamSockets): Upstream {
    return { servers: sandbox.upstream, sockets: { host: this.#fromHost, container: own } }
  }
}
