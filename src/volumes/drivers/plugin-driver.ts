/** A driver of volumes that is a plugin. https://docs.docker.com/engine/extend/plugins_volume/ */
import { internal, isKind } from '../../base/index.ts'
import type { Plugin } from '../../plugins/index.ts'
import type { DriverVolume, VolumeDriver, VolumeScope } from './volume-driver.ts'

/** The capability of a plugin that is a driver of volumes. */
export const volumeCapability = 'VolumeDriver'

const quick = { timeoutMs: 60_000 }
/** The limit is high because a plugin may first have to fetch or format the volume. */
const slow = { timeoutMs: 120_000 }

/** Passes the calls of a driver to a plugin. */
export class PluginDriver implements VolumeDriver {
  readonly #plugin: Plugin

  constructor(plugin: Plugin) {
    this.#plugin = plugin
  }

  get name(): string {
    return this.#plugin.name
  }

  /** `local` for a plugin that does not know the method, as the protocol says. */
  async scope(): Promise<VolumeScope> {
    try {
      const answer = await this.#plugin.call('VolumeDriver.Capabilities', {}, { ...quick, once: true })
      const { Scope: scope } = (answer.Capabilities ?? {}) as { Scope?: unknown }
      return typeof scope === 'string' && scope.toLowerCase() === 'global' ? 'global' : 'local'
    } catch (error) {
      // The plugin does not know this method.
      if (isKind(error, 'internal')) return 'local'
      throw error
    }
  }

  async create(name: string, options: Readonly<Record<string, string>>): Promise<void> {
    const given = Object.keys(options).length === 0 ? null : options
    await this.#plugin.call('VolumeDriver.Create', { Name: name, Opts: given }, slow)
  }

  async remove(name: string): Promise<void> {
    await this.#plugin.call('VolumeDriver.Remove', { Name: name }, slow)
  }

  /** Plugins answer any error for a volume that they do not have; the protocol has no code for it. */
  async find(name: string): Promise<DriverVolume | undefined> {
    try {
      const { Volume: volume } = await this.#plugin.call('VolumeDriver.Get', { Name: name }, quick)
      return typeof volume === 'object' && volume !== null ? volumeOf(volume) : undefined
    } catch (error) {
      if (isKind(error, 'internal')) return undefined
      throw error
    }
  }

  async list(): Promise<readonly DriverVolume[]> {
    const { Volumes: volumes } = await this.#plugin.call('VolumeDriver.List', {}, { ...quick, once: true })
    return Array.isArray(volumes) ? volumes.map(volumeOf).filter(({ name }) => name !== '') : []
  }

  async mount(name: string, holder: string): Promise<string> {
    const { Mountpoint: path } = await this.#plugin.call('VolumeDriver.Mount', { Name: name, ID: holder }, slow)
    if (typeof path !== 'string' || !path.startsWith('/')) {
      throw internal(`plugin "${this.name}" mounted volume ${name} nowhere: ${JSON.stringify(path ?? '')}`)
    }
    return path
  }

  async unmount(name: string, holder: string): Promise<void> {
    await this.#plugin.call('VolumeDriver.Unmount', { Name: name, ID: holder }, slow)
  }
}

function volumeOf(value: unknown): DriverVolume {
  const { Name, Mountpoint, CreatedAt, Status } = (value ?? {}) as Readonly<Record<string, unknown>>
  return {
    name: typeof Name === 'string' ? Name : '',
    mountpoint: typeof Mountpoint === 'string' ? Mountpoint : '',
    created: typeof CreatedAt === 'string' ? CreatedAt : undefined,
    status: typeof Status === 'object' && Status !== null ? (Status as Record<string, unknown>) : undefined,
  }
}
