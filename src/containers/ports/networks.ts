/** The networks as the verbs of containers use them. `Networks` of `network` is the real one. */
import type {
  EndpointRequest,
  LinkPermit,
  NetworkRecord,
  Sandbox,
  SandboxOwner,
  SandboxRequest,
} from '../../network/index.ts'

/** Makes and ends the network of a container. */
export interface SandboxMaker {
  /** Leases addresses and host ports without touching devices. Throws `notFound` for an unknown network, `internal` when
   *  a port is taken. */
  reserve(request: SandboxRequest): Sandbox
  /** Makes the namespace with its devices and publishes ports; takes everything back when a step fails. */
  setUp(request: SandboxRequest): Promise<Sandbox>
  /** Takes namespace, ports and leases away. Idempotent. */
  release(containerId: string): void
}

/** Finds the network of a container. */
export interface SandboxFinder {
  /** A container's network as it is now, or undefined. */
  find(containerId: string): Sandbox | undefined
}

/** Changes the network of a container that has one. */
export interface SandboxChanges {
  /** Notes a container's new name; nothing happens without a sandbox. */
  rename(containerId: string, name: string): void
  /** Lets a running container join a network. Throws `forbidden` when it is on it, and as `reserve` does. */
  connect(owner: SandboxOwner, request: EndpointRequest): Promise<Sandbox>
  /** Lets a running container leave a network. */
  disconnect(containerId: string, networkId: string): Promise<Sandbox>
  /** Publishes the owner's ports and no others. */
  changePorts(owner: SandboxOwner): Promise<unknown>
  /** What links of the default bridge permit. */
  readonly links: { set(containerId: string, permits: readonly LinkPermit[]): Promise<void> }
}

export interface ContainerSandboxes extends SandboxMaker, SandboxFinder, SandboxChanges {}

export interface ContainerNetworks {
  /** A network by name, id or unique prefix of its id. */
  find(nameOrId: string): NetworkRecord | undefined
  readonly sandboxes: ContainerSandboxes
}
