/** Volumes between the layers: for the API and for containers. */
import type { Volume } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import { backupVolume, type ContainerContext, type ContainerVolumes, restoreVolume } from '../containers/index.ts'
import type { EventBus } from '../events/index.ts'
import { namesMatching } from '../http/index.ts'
import type { VolumeBackend } from '../server/index.ts'
import { pruneVolumes, type VolumeRecord, type VolumeSummary, type Volumes } from '../volumes/index.ts'

/** Volumes as the API calls them. */
export function volumeBackend(volumes: Volumes, events: EventBus, context: ContainerContext): VolumeBackend {
  return {
    async list(filters) {
      const { volumes: all, warnings } = await volumes.catalog.list()
      const selected = all.filter(testOf(filters))
      return { Volumes: selected.map(toVolume), Warnings: warnings.length === 0 ? null : warnings }
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
      if (isNew) publish(events, 'create', record)
      return toVolume(await volumes.catalog.inspect(record.name))
    },
    async remove(name, options) {
      const removed = await volumes.remove(name, options)
      if (removed !== undefined) publish(events, 'destroy', removed)
    },
    async prune(filters) {
      const all = filters.all !== undefined && parseFlag('all', filters.all)
      const rest = Object.fromEntries(Object.entries(filters).filter(([key]) => key !== 'all'))
      const isWanted = testOf(rest)
      const { removed, reclaimedBytes } = await pruneVolumes(
        volumes,
        (volume) => (all || volume.anonymous) && isWanted(volume),
      )
      for (const record of removed) publish(events, 'destroy', record)
      events.publish('volume', 'prune', '', { reclaimed: String(reclaimedBytes) })
      return { VolumesDeleted: removed.map(({ name }) => name), SpaceReclaimed: reclaimedBytes }
    },
    backup: (name, options) => backupVolume(context, name, options),
    async restore(name, source, options) {
      await restoreVolume(context, name, source, options)
      return toVolume(await volumes.catalog.inspect(name))
    },
  }
}

/** Volumes as containers use them. */
export function containerVolumes(volumes: Volumes, events: EventBus): ContainerVolumes {
  return {
    async acquire(name, containerId, request) {
      const { record, isNew } = await volumes.createFor(containerId, { ...request, name })
      if (isNew) publish(events, 'create', record)
      return { driver: record.driver, source: record.mountpoint }
    },
    mount: (name, holder) => volumes.mounts.mount(name, holder),
    unmountAll: (holder) => volumes.mounts.unmountAll(holder),
    async release(containerId, options) {
      for (const record of await volumes.release(containerId, options)) publish(events, 'destroy', record)
    },
    async hold(name, holder, { create }) {
      // A name that nobody has is no wish for a new volume.
      if (!create) await volumes.catalog.inspect(name)
      const { record, isNew } = await volumes.createFor(holder, { name })
      if (isNew) publish(events, 'create', record)
      return { containers: volumes.users(name).filter((id) => /^[0-9a-f]{64}$/.test(id)), isNew }
    },
    async letGo(holder, { remove } = {}) {
      await volumes.mounts.unmountAll(holder)
      await volumes.release(holder)
      if (remove === undefined) return
      const removed = await volumes.remove(remove, { force: true })
      if (removed !== undefined) publish(events, 'destroy', removed)
    },
    replace: (name, holder, replacement) => volumes.mounts.replace(name, holder, replacement),
    copyUp: (source, name, holder) => volumes.mounts.copyUp(source, name, holder),
    restore: (containers) => volumes.restore(containers),
  }
}

function publish(events: EventBus, action: string, { name, driver }: VolumeRecord): void {
  events.publish('volume', action, name, { driver })
}

/** A volume as the API shows it. */
export function toVolume(volume: VolumeSummary): Volume {
  return {
    // In Docker's order: `docker inspect` prints it as it comes.
    CreatedAt: volume.created,
    Driver: volume.driver,
    Labels: Object.keys(volume.labels).length === 0 ? null : volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
    Scope: volume.scope,
    ...(volume.status === undefined ? {} : { Status: volume.status }),
  }
}

/** Throws `invalidArgument` for a wrong value, also where there is no volume to look at. */
function testOf(filters: Readonly<Record<string, readonly string[]>>): (record: VolumeSummary) => boolean {
  const given = Object.entries(filters).filter(([, values]) => values.length > 0)
  for (const [key, values] of given) if (key === 'dangling') parseFlag(key, values)
  return (record) => given.every(([key, values]) => matches(record, key, values))
}

function matches(record: VolumeSummary, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'name':
      return namesMatching(values)(record.name)
    case 'driver':
      return values.includes(record.driver)
    case 'dangling':
      return parseFlag(key, values) === (record.users === 0)
    case 'label':
      return values.every((value) => hasLabel(record, value))
    case 'label!':
      return !values.some((value) => hasLabel(record, value))
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

/** A filter that is true or false. Throws `invalidArgument` for other words, and for several. */
function parseFlag(key: string, values: readonly string[]): boolean {
  const [value = '', ...more] = values
  if (more.length === 0 && /^(1|t|true|TRUE|True|T)$/.test(value)) return true
  if (more.length === 0 && /^(0|f|false|FALSE|False|F)$/.test(value)) return false
  throw invalidArgument(`invalid filter '${key}=[${values.join(' ')}]'`)
}

function hasLabel(record: VolumeRecord, label: string): boolean {
  const at = label.indexOf('=')
  return at < 0 ? label in record.labels : record.labels[label.slice(0, at)] === label.slice(at + 1)
}
