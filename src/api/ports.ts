import type { Optional } from './optional.ts'

/** Published ports: host addresses by container port, like `80/tcp`. */
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>

/** A host address that a port is published on. An empty `HostIp` means every address. An empty `HostPort` or "0" means a
 *  free port, `8000-8010` a free port of this range. */
export type PortBinding = Optional<{ HostIp: string; HostPort: string }>

/** One port of a container in a list. Without `PublicPort` it is exposed and not published. */
export interface Port {
  readonly IP?: string | undefined
  readonly PrivatePort: number
  readonly PublicPort?: number | undefined
  readonly Type: 'tcp' | 'udp' | 'sctp'
}
