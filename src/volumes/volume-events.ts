import type { EventBus } from '../events/index.ts'
import type { VolumeRecord } from './record/volume-record.ts'

/** Publishes what happened to a volume, with the attributes that Docker's events have. */
export function publishVolume(events: EventBus, action: 'create' | 'destroy', { name, driver }: VolumeRecord): void {
  events.publish('volume', action, name, { driver })
}
