/** The events of containers, with the attributes that Docker gives them. */
import type { EventBus } from '../../events/index.ts'
import type { NetworkRecord } from '../../network/index.ts'
import type { ContainerRecord } from './container-record.ts'
import type { Uses } from './dependencies.ts'
import { membershipsOf, networkKey } from './memberships.ts'

/** Publishes an event of a container, with Docker's attributes: image, name and all labels. */
export function publishContainer(
  events: EventBus,
  record: ContainerRecord,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  events.publish('container', action, record.id, {
    ...(record.config.Labels ?? {}),
    ...extra,
    image: record.image.reference,
    name: record.name,
  })
}

/** Publishes that a container joined or left a network. */
export function publishNetwork(
  context: Uses<'events'>,
  record: ContainerRecord,
  network: NetworkRecord,
  action: 'connect' | 'disconnect',
): void {
  const attributes = { container: record.id, name: network.name, type: network.driver }
  context.events.publish('network', action, network.id, attributes)
}

/** Publishes that a run began or ended to use its networks and volumes. */
export function publishUses(context: Uses<'networks' | 'events'>, record: ContainerRecord, use: 'begin' | 'end'): void {
  const { events } = context
  for (const membership of membershipsOf(record)) {
    const network = context.networks.find(networkKey(membership))
    if (network !== undefined) publishNetwork(context, record, network, use === 'begin' ? 'connect' : 'disconnect')
  }
  for (const mount of record.mounts) {
    if (mount.type !== 'volume' || mount.name === undefined) continue
    if (use === 'end') {
      events.publish('volume', 'unmount', mount.name, { container: record.id, driver: mount.driver ?? 'local' })
      continue
    }
    events.publish('volume', 'mount', mount.name, {
      container: record.id,
      destination: mount.destination,
      driver: mount.driver ?? 'local',
      propagation: mount.propagation,
      'read/write': String(!mount.readOnly),
    })
  }
}
