/** The drivers of volumes by name: `local`, and the plugins that are there at the time of asking. */
import { invalidArgument, isKind, messageOf, notFound } from '../base/index.ts'
import type { Plugins } from '../plugins/index.ts'
import type { LocalDriver } from './local-driver.ts'
import { PluginDriver, volumeCapability } from './plugin-driver.ts'
import type { VolumeDriver } from './volume-driver.ts'

export const localDriverName = 'local'

export class VolumeDrivers {
  readonly local: LocalDriver
  readonly #plugins: Plugins

  constructor(local: LocalDriver, plugins: Plugins) {
    this.local = local
    this.#plugins = plugins
  }

  /** Throws `notFound` in Docker's words, `unavailable` when the plugin can't be reached. With `once` it is not waited
   *  for. */
  async get(name: string, options: { readonly once?: boolean } = {}): Promise<VolumeDriver> {
    if (name === localDriverName) return this.local
    try {
      return new PluginDriver(await this.#plugins.get(name, volumeCapability, options))
    } catch (cause) {
      const message = `error looking up volume plugin ${name}: ${messageOf(cause)}`
      if (isKind(cause, 'notFound')) throw notFound(message, { cause })
      if (isKind(cause, 'invalidArgument')) throw invalidArgument(message, { cause })
      throw cause
    }
  }

  /** The plugins that answer now, and why others don't. */
  async plugins(): Promise<{ readonly drivers: readonly VolumeDriver[]; readonly failures: readonly string[] }> {
    const { plugins, failures } = await this.#plugins.all(volumeCapability)
    return { drivers: plugins.map((plugin) => new PluginDriver(plugin)), failures }
  }
}
