import type { EventBus } from '../events/index.ts'
import type { ContainerRecord } from './container-record.ts'

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
