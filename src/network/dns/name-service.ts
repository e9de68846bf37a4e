/** What the networks tell the embedded DNS: who has which names and addresses, and which namespaces ask. */

/** A name-bearing endpoint: a container on a network that has names (every network but bridge, host, none). */
export interface NamedEndpoint {
  readonly networkId: string
  readonly networkName: string
  readonly containerId: string
  readonly endpointId: string
  /** Container name (first), network aliases, short id, host name: as to be answered, without dots at the end, case as
   *  given, no doubles. */
  readonly names: readonly string[]
  /** '' when it has none of that family. */
  readonly ipv4: string
  readonly ipv6: string
}

/** A server to which other names are forwarded. */
export interface UpstreamServer {
  /** As in resolv.conf. */
  readonly address: string
  /** The namespace that it is asked from: the host's own servers may be on the host's loopback. */
  readonly from: 'host' | 'container'
}

/** A network namespace in which 127.0.0.11 is to answer. */
export interface NamedSandbox {
  readonly containerId: string
  /** File that keeps the network namespace. Loopback is up. */
  readonly netnsPath: string
  /** Ids of the networks with names that it is on, the one with the default gateway first. */
  readonly networkIds: readonly string[]
  /** Servers to forward to, in order. */
  readonly upstream: readonly UpstreamServer[]
  /** False when every network that it is on is internal: names from outside then get SERVFAIL. */
  readonly forward: boolean
  /** `--link` on networks with names: answers to `alias` with the addresses of that container (name or id as given) on
   *  that network; only for this sandbox. */
  readonly links: readonly NameLink[]
}

/** An alias that one sandbox alone knows. */
export interface NameLink {
  readonly networkId: string
  readonly target: string
  readonly alias: string
}

/** The embedded DNS as the networks use it. */
export interface NameService {
  /** An endpoint is there, or has changed (rename, aliases). Same (networkId, containerId) replaces. Memory only. */
  putEndpoint(endpoint: NamedEndpoint): void
  /** Gone. Unknown is no error. */
  removeEndpoint(networkId: string, containerId: string): void
  /** The namespace is there, before the program starts; again when its networks, servers or links have changed; at boot
   *  for each container that runs. Resolves when 127.0.0.11 answers; a rejection fails the start. */
  openSandbox(sandbox: NamedSandbox): Promise<void>
  /** The namespace is about to go (or the last network with names was disconnected). Closes all its sockets at once.
   *  Unknown is no error. */
  closeSandbox(containerId: string): void
  /** The daemon ends; containers run on. */
  close(): void
}
