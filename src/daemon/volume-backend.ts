/** Volumes between the layers: for the API and for containers. */
import type { Volume } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import type { ContainerVolumes } from '../containers/index.ts'
import type { EventBus } from '../events/index.ts'
import type { VolumeBackend } from '../server/index.ts'
import type { VolumeRecord, VolumeSummary, Volumes } from '../volumes/index.ts'

/** Volumes as the API calls them. */
export function volumeBackend(volumes: Volumes, events: EventBus): VolumeBackend {
  const publish = (action: string, name: string): void => events.publish('volume', action, name, { driver: 'local' })
  return {
    async list(filters) {
      const records = volumes.list().filter((record) => matchesAll(record, filters))
      return { Volumes: records.map(toVolume), Warnings: null }
    },
    async inspect(name) {
      return toVolume(volumes.get(name))
    },
    async create(request) {
      const isNew = !request.Name || !volumes.has(request.Name)
      const record = volumes.create({
        name: request.Name ?? undefined,
        driver: request.Driver ?? undefined,
        labels: request.Labels ?? undefined,
        options: request.DriverOpts ?? undefined,
      })
      if (isNew) publish('create', record.name)
      return toVolume(record)
    },
    async remove(name, options) {
      volumes.remove(name, options)
      publish('destroy', name)
    },
    async prune(filters) {
      const all = (filters.all ?? []).some((value) => value === 'true' || value === '1')
      const rest = Object.fromEntries(Object.entries(filters).filter(([key]) => key !== 'all'))
      const { removed, reclaimedBytes } = await volumes.prune(
        (record) => (all || record.anonymous) && matchesAll({ ...record, users: 0 }, rest),
      )
      for (const name of removed) publish('destroy', name)
      return { VolumesDeleted: removed, SpaceReclaimed: reclaimedBytes }
    },
  }
}

/** Volumes as containers use them. */
export function containerVolumes(volumes: Volumes, events: EventBus): ContainerVolumes {
  return {
    async acquire(name, containerId, request) {
      const isNew = !volumes.has(name)
      const { mountpoint } = volumes.createFor(containerId, { ...request, name })
      if (isNew) events.publish('volume', 'create', name, { driver: 'local' })
      return mountpoint
    },
    async release(containerId, options) {
      for (const name of volumes.release(containerId, options)) {
        events.publish('volume', 'destroy', name, { driver: 'local' })
      }
    },
    copyUp: (source, name) => volumes.copyUp(source, name),
    restore: (containers) => volumes.restore(containers),
  }
}

/** A volume as the API shows it. */
export function toVolume(record: VolumeRecord): Volume {
  return {
    Name: record.name,
    Driver: record.driver,
    Mountpoint: record.mountpoint,
    CreatedAt: record.created,
    Labels: Object.keys(record.labels).length === 0 ? null : record.labels,
    Scope: 'local',
    Options: Object.keys(record.options).length === 0 ? null : record.options,
  }
}

function matchesAll(record: VolumeSummary, filters: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(filters).every(([key, values]) => values.length === 0 || matches(record, key, values))
}

function matches(record: VolumeSummary, key: string, values: readonly string[]): boolean {
  switch (key) {
    case 'name':
      return values.some((value) => record.name.includes(value))
    case 'driver':
      return values.includes(record.driver)
    case 'dangling':
      return values.some((value) => (value === 'true' || value === '1') === (record.users === 0))
    case 'label':
      return values.every((value) => hasLabel(record, value))
    case 'label!':
      return !values.some((value) => hasLabel(record, value))
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}

function hasLabel(record: VolumeRecord, label: string): boolean {
  const at = label.indexOf('=')
  return at < 0 ? label in record.labels : record.labels[label.slice(0, at)] === label.slice(at + 1)
}
