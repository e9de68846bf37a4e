/** The interface of network drivers: what each kind of network makes in the kernel. */
import type { LinkInfo } from '../../sys/index.ts'
import type { EndpointRecord, NetworkRecord } from '../record/network-record.ts'
import type { SandboxDoor } from './sandbox-door.ts'

/** The devices of one kind of network. Everything is synchronous. */
export interface NetworkDriver {
  /** Devices must be removed before their namespace. The kernel removes the devices of a dying namespace late, and
   *  until then they occupy the parent. */
  readonly detachesFirst: boolean
  /** Makes or repairs the network's device on the host. Gives the record, updated with what was found. `links` are the
   *  current devices of the host. Throws `forbidden`, `invalidArgument` or `unavailable` if that is not possible. */
  ensure(record: NetworkRecord, links: readonly LinkInfo[]): NetworkRecord
  /** Removes the network's device, if the daemon made it. Does nothing if it is gone. */
  remove(record: NetworkRecord): void
  /** Makes an endpoint's device in a namespace, down and without addresses. Throws `unavailable` if the network's
   *  device is gone. */
  attach(record: NetworkRecord, endpoint: EndpointRecord, door: SandboxDoor): void
  /** Removes an endpoint's device. Does nothing if it is gone. */
  detach(endpoint: EndpointRecord, door: SandboxDoor): void
}
