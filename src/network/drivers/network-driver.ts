/** What a kind of network does in the kernel. */
import type { LinkInfo } from '../../sys/index.ts'
import type { EndpointRecord, NetworkRecord } from '../record/network-record.ts'
import type { SandboxDoor } from './sandbox-door.ts'

/** The devices of one kind of network. Everything is synchronous. */
export interface NetworkDriver {
  /** Devices have to be taken away before their namespace is: the kernel takes its time with what is in a dying one, and
   *  until then the parent may be no one else's. */
  readonly detachesFirst: boolean
  /** Makes or repairs what the network needs on the host, and gives the record with what was found. `links` are all
   *  devices of the host as they were a moment ago. */
  ensure(record: NetworkRecord, links: readonly LinkInfo[]): NetworkRecord
  /** Takes it away; again is no error. */
  remove(record: NetworkRecord): void
  /** Puts an endpoint's device into a namespace, down and without addresses. */
  attach(record: NetworkRecord, endpoint: EndpointRecord, door: SandboxDoor): void
  /** Takes it out again; one that is gone is no error. */
  detach(endpoint: EndpointRecord, door: SandboxDoor): void
}
