import type { Optional } from './optional.ts'

/** Container port (`80/tcp`) → where it is published on the host. */
export type PortMap = Readonly<Record<string, readonly PortBinding[] | null>>

/** An empty `HostIp` means every address; an empty or "0" `HostPort` a free port; `8000-8010` a range. */
export type PortBinding = Optional<{ HostIp: string; HostPort: string }>

/** One port of a container in a list; without `PublicPort` it is only exposed. */
export interface Port {
  readonly IP?: string | undefined
  readonly PrivatePort: number
  readonly PublicPort?: number | undefined
  readonly Type: 'tcp' | 'udp' | 'sctp'
}
