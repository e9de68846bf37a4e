import type { EventBus } from '../events/index.ts'
import type { NetworkRecord } from '../network/index.ts'
import type { ContainerRecord } from './container-record.ts'
import type { ContainerContext } from './dependencies.ts'
import { networkName } from './namespaces.ts'

/** Tells of something that happened to a container, with Docker's attributes: image, name and all labels. */
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

/** Tells that a run began or ended to use its network and volumes. */
export function publishUses(context: ContainerContext, record: ContainerRecord, use: 'begin' | 'end'): void {
  const { events } = context
  const network = findNetwork(context, record)
  if (network !== undefined) {
    const attributes = { container: record.id, name: network.name, type: network.driver }
    events.publish('network', use === 'begin' ? 'connect' : 'disconnect', network.id, attributes)
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

/** The network that a container is on, or undefined: with another container's there is none of its own. */
export function findNetwork(context: ContainerContext, record: ContainerRecord): NetworkRecord | undefined {
  const wanted = networkName(record)
  const all = context.networks.list()
  return all.find(({ name }) => name === wanted) ?? all.find(({ id }) => id.startsWith(wanted))
}
