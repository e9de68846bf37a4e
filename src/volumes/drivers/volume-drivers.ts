/** Finds drivers of volumes by name: `local`, and the plugins that exist at that moment. */
import { invalidArgument, isKind, messageOf, notFound } from '../../base/index.ts'
import type { Plugins } from '../../plugins/index.ts'
import type { LocalDriver } from './local-driver.ts'
import { PluginDriver, volumeCapability } from './plugin-driver.ts'
import type { VolumeDriver } from './volume-driver.ts'

/** Name of the built-in driver. */
export const localDriverName = 'local'

/** The built-in driver and the plugins. */
export class VolumeDrivers {
  readonly local: LocalDriver
  readonly #plugins: Plugins

  constructor(local: LocalDriver, plugins: Plugins) {
    this.local = local
    this.#plugins = plugins
  }

  /** The driver of that name. With `once` it does not wait for a plugin that can't be reached. Throws `notFound` with
   *  Docker's text, `unavailable` when the plugin can't be reached. */
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

  /** The plugins that answer now, and a message for each one that does not. */
  async plugins(): Promise<{ readonly drivers: readonly VolumeDriver[]; readonly failures: readonly string[] }> {
    const { plugins, failures } = await this.#plugins.all(volumeCapability)
    return { drivers: plugins.map((plugin) => new PluginDriver(plugin)), failures }
  }
}
