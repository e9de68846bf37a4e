/** The verbs of volumes, as the API server and embedders call them. */
import { invalidArgument } from '../base/index.ts'
import type { VolumeBackend } from '../contract/index.ts'
import type { EventBus } from '../events/index.ts'
import { pruneVolumes } from './prune-volumes.ts'
import { publishVolume } from './volume-events.ts'
import { volumeTest } from './volume-filters.ts'
import { toVolume } from './volume-wire.ts'
import type { Volumes } from './volumes.ts'

/** Backup and restore, which freeze the containers that use the volume. */
export interface VolumeArchives {
  backup: VolumeBackend['backup']
  /** Resolves when the volume has the new content. */
  restore(...args: Parameters<VolumeBackend['restore']>): Promise<void>
}

/** Makes the verbs; the events of volumes are published on `events`. */
export function volumeService(volumes: Volumes, archives: VolumeArchives, events: EventBus): VolumeBackend {
  return {
    async list(filters) {
      const isWanted = volumeTest(filters)
      const { volumes: all, warnings } = await volumes.catalog.list()
      return { Volumes: all.filter(isWanted).map(toVolume), Warnings: warnings.length === 0 ? null : warnings }
    },
    async inspect(name) {
      return toVolume(await volumes.catalog.inspect(name))
    },
    async create(request) {
      const { record, isNew } = await volumes.create({
        name: request.Name ?? undefined,
        driver: request.Driver ?? undefined,
        labels: request.Labels ?? undefined,
        options: request.DriverOpts ?? undefined,
      })
      if (isNew) publishVolume(events, 'create', record)
      return toVolume(await volumes.catalog.inspect(record.name))
    },
    async remove(name, options) {
      const removed = await volumes.remove(name, options)
      if (removed !== undefined) publishVolume(events, 'destroy', removed)
    },
    async prune({ all: allValues = [], ...filters }) {
      const all = prunesNamed(allValues)
      const isWanted = volumeTest(filters)
      const { removed, reclaimedBytes } = await pruneVolumes(
        volumes,
        (volume) => (all || volume.anonymous) && isWanted(volume),
      )
      for (const record of removed) publishVolume(events, 'destroy', record)
      events.publish('volume', 'prune', '', { reclaimed: String(reclaimedBytes) })
      return { VolumesDeleted: removed.map(({ name }) => name), SpaceReclaimed: reclaimedBytes }
    },
    backup: (name, options) => archives.backup(name, options),
    async restore(name, source, options) {
      await archives.restore(name, source, options)
      return toVolume(await volumes.catalog.inspect(name))
    },
  }
}

/** The filter `all` of prune. Docker reads this one as Go's `strconv.ParseBool` does, and refuses several values. */
function prunesNamed(values: readonly string[]): boolean {
  const [value, ...more] = values
  if (value === undefined) return false
  if (more.length === 0 && /^(1|t|true|TRUE|True|T)$/.test(value)) return true
  if (more.length === 0 && /^(0|f|false|FALSE|False|F)$/.test(value)) return false
  throw invalidArgument(`invalid filter 'all=[${values.join(' ')}]'`)
}
