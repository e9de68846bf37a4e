/** Volumes as containers use them. */
import type { EventBus } from '../../events/index.ts'
import { publishVolume, type Volumes } from '../../volumes/index.ts'
import type { ContainerVolumes } from '../record/dependencies.ts'

/** Makes the functions by which containers use volumes (`ContainerVolumes` describes them). Volumes that are created or
 *  removed by them are published on `events`. */
export function containerVolumes(volumes: Volumes, events: EventBus): ContainerVolumes {
  return {
    async acquire(name, containerId, request) {
      const { record, isNew } = await volumes.createFor(containerId, { ...request, name })
      if (isNew) publishVolume(events, 'create', record)
      return { driver: record.driver, source: record.mountpoint }
    },
    mount: (name, holder) => volumes.mounts.mount(name, holder),
    unmountAll: (holder) => volumes.mounts.unmountAll(holder),
    async release(containerId, options) {
      for (const record of await volumes.release(containerId, options)) publishVolume(events, 'destroy', record)
    },
    async hold(name, holder, { create }) {
      // Without `create`, throw `notFound` for an unknown name.
      if (!create) await volumes.catalog.inspect(name)
      const { record, isNew } = await volumes.createFor(holder, { name })
      if (isNew) publishVolume(events, 'create', record)
      return { containers: volumes.users(name).filter((id) => /^[0-9a-f]{64}$/.test(id)), isNew }
    },
    async letGo(holder, { remove } = {}) {
      await volumes.mounts.unmountAll(holder)
      await volumes.release(holder)
      if (remove === undefined) return
      const removed = await volumes.remove(remove, { force: true })
      if (removed !== undefined) publishVolume(events, 'destroy', removed)
    },
    replace: (name, holder, replacement) => volumes.mounts.replace(name, holder, replacement),
    copyUp: (source, name, holder) => volumes.mounts.copyUp(source, name, holder),
    restore: (containers) => volumes.restore(containers),
  }
}
