/** The interface between the networks and the embedded DNS: names and addresses of endpoints, and the namespaces to
 *  serve. */

/** An endpoint with names: a container on a network other than `bridge`, `host` and `none`. */
export interface NamedEndpoint {
  readonly networkId: string
  readonly networkName: string
  readonly containerId: string
  readonly endpointId: string
  /** The container's name first, then network aliases, short id and host name. In the given case, without a dot at the
   *  end, each once. */
  readonly names: readonly string[]
  /** '' if it has none of that family. */
  readonly ipv4: string
  readonly ipv6: string
}

/** A server to which questions about other names are forwarded. */
export interface UpstreamServer {
  /** As in resolv.conf. */
  readonly address: string
  /** The network namespace from which it is asked. The host's servers may be on the host's loopback. */
  readonly from: 'host' | 'container'
}

/** A network namespace in which the embedded DNS answers. */
export interface NamedSandbox {
  readonly containerId: string
  /** The file on which the network namespace is mounted. Its loopback is up. */
  readonly netnsPath: string
  /** Ids of the container's networks with names. The one with the default gateway comes first. */
  readonly networkIds: readonly string[]
  /** The servers for other names, in the order in which they are asked. */
  readonly upstream: readonly UpstreamServer[]
  /** False if none of the container's networks has a gateway. Questions about other names then get SERVFAIL. */
  readonly forward: boolean
  /** The container's `--link` options on networks with names. */
  readonly links: readonly NameLink[]
}

/** An alias of another container that only one sandbox knows. */
export interface NameLink {
  readonly networkId: string
  /** Name or id of the other container, as the user gave it. */
  readonly target: string
  readonly alias: string
}

/** The embedded DNS as the networks use it. */
export interface NameService {
  /** Adds an endpoint, or replaces the container's endpoint on the same network. In memory only. */
  putEndpoint(endpoint: NamedEndpoint): void
  /** Removes an endpoint. Does nothing if it is unknown. */
  removeEndpoint(networkId: string, containerId: string): void
  /** Begins to answer in a namespace. Called before the container's program starts, at boot for each running
   *  container, and again when its networks, servers or links have changed. Resolves when 127.0.0.11 answers; a
   *  rejection fails the start of the container. */
  openSandbox(sandbox: NamedSandbox): Promise<void>
  /** Closes all sockets in a namespace at once, before it is removed or after its last network with names was
   *  disconnected. Does nothing if it is unknown. */
  closeSandbox(containerId: string): void
  /** Closes all sockets at the end of the daemon. Containers run on. */
  close(): void
}
