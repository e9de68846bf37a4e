/** The networks as the verbs of containers use them. `Networks` of `network` is the real implementation. */
import type {
  EndpointRequest,
  LinkPermit,
  NetworkRecord,
  Sandbox,
  SandboxOwner,
  SandboxRequest,
} from '../../network/index.ts'

/** Makes and removes the network of a container. */
export interface SandboxMaker {
  /** Leases addresses and host ports without touching devices. Throws `notFound` for an unknown network, and `internal`
   *  if a port is taken. */
  reserve(request: SandboxRequest): Sandbox
  /** Makes the network namespace with its devices, and publishes ports. If a step fails, everything is undone. */
  setUp(request: SandboxRequest): Promise<Sandbox>
  /** Removes the namespace, ports and leases. Idempotent. */
  release(containerId: string): void
}

/** Finds the network of a container. */
export interface SandboxFinder {
  /** The container's current sandbox, or undefined. */
  find(containerId: string): Sandbox | undefined
}

/** Changes the sandbox of a container that has one. */
export interface SandboxChanges {
  /** Records a container's new name. Does nothing without a sandbox. */
  rename(containerId: string, name: string): void
  /** Lets a running container join a network. Throws `forbidden` if it is already on the network, and what `reserve`
   *  throws. */
  connect(owner: SandboxOwner, request: EndpointRequest): Promise<Sandbox>
  /** Lets a running container leave a network. */
  disconnect(containerId: string, networkId: string): Promise<Sandbox>
  /** Publishes exactly the owner's ports. */
  changePorts(owner: SandboxOwner): Promise<unknown>
  /** Replaces the traffic that a container's links permit on the default bridge. */
  readonly links: { set(containerId: string, permits: readonly LinkPermit[]): Promise<void> }
}

/** All operations on containers' networks. */
export interface ContainerSandboxes extends SandboxMaker, SandboxFinder, SandboxChanges {}

/** The networks, and the sandboxes of containers. */
export interface ContainerNetworks {
  /** Finds a network by name, id or unique prefix of its id. */
  find(nameOrId: string): NetworkRecord | undefined
  readonly sandboxes: ContainerSandboxes
}
