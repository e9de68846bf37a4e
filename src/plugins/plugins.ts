/** Docker's plugins: programs beside the daemon that answer a small protocol of JSON over HTTP. The daemon neither
 *  starts nor installs them; it looks for them each time one is named, so they may come and go.
 *  https://docs.docker.com/engine/extend/plugin_api/ */
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError, isBerthError, isKind, type Logger, messageOf, notFound } from '../base/index.ts'
import { findPlugin, listPlugins, type PluginAddress } from './plugin-address.ts'
import { askPlugin } from './plugin-request.ts'

export interface PluginsOptions {
  /** Searched in this order for NAME.sock, NAME.spec and NAME.json. */
  readonly directories: readonly string[]
  /** How long calls to a plugin that can't be reached are repeated. */
  readonly retryMs: number
  readonly logger: Logger
}

export interface CallOptions {
  /** How long an answer may take. */
  readonly timeoutMs: number
  /** Fails at once when the plugin can't be reached. */
  readonly once?: boolean
}

/** A plugin that answered the handshake. */
export interface Plugin {
  readonly name: string
  /** Calls a method (`VolumeDriver.Mount`). Throws `unavailable` for a plugin that can't be reached or is silent, and
   *  `internal` with the plugin's own words for what it refuses. */
  call(method: string, body: object, options: CallOptions): Promise<Readonly<Record<string, unknown>>>
}

const activateTimeoutMs = 30_000
/** For those who only want to know what there is. */
const quickActivateTimeoutMs = 5_000
const firstPauseMs = 100
const longestPauseMs = 5_000

/** Finds plugins and talks to them. */
export class Plugins {
  readonly #options: PluginsOptions
  /** What each plugin said that it implements; it is asked again when it was away. */
  readonly #activated = new Map<string, readonly string[]>()

  constructor(options: PluginsOptions) {
    this.#options = options
  }

  /** The plugin of that name that implements `capability` (`VolumeDriver`).
   *  Throws `notFound` when there is none or it implements something else, `unavailable` when it can't be reached. */
  async get(name: string, capability: string, { once = false }: { readonly once?: boolean } = {}): Promise<Plugin> {
    const address = findPlugin(this.#options.directories, name)
    if (address === undefined) throw notFound(`plugin "${name}" not found`)
    const implemented = await this.#activate(name, address, once)
    if (!implemented.includes(capability)) {
      throw notFound(`plugin "${name}" found, but it does not implement ${capability}`)
    }
    return this.#plugin(name, address)
  }

  /** All plugins that implement `capability` and can be reached now, with what is wrong with the others. */
  async all(
    capability: string,
  ): Promise<{ readonly plugins: readonly Plugin[]; readonly failures: readonly string[] }> {
    const failures: string[] = []
    const found = await Promise.all(
      listPlugins(this.#options.directories).map(async (name) => {
        try {
          return await this.get(name, capability, { once: true })
        } catch (error) {
          // One that does something else is none of ours.
          if (!isKind(error, 'notFound')) failures.push(`plugin "${name}": ${messageOf(error)}`)
          return undefined
        }
      }),
    )
    return { plugins: found.filter((plugin) => plugin !== undefined), failures }
  }

  /** Names of the plugins that implement `capability` and can be reached now. */
  async names(capability: string): Promise<readonly string[]> {
    return (await this.all(capability)).plugins.map(({ name }) => name)
  }

  async #activate(name: string, address: PluginAddress, once: boolean): Promise<readonly string[]> {
    const key = keyOf(name, address)
    const known = this.#activated.get(key)
    if (known !== undefined) return known
    const options = { timeoutMs: once ? quickActivateTimeoutMs : activateTimeoutMs, once }
    const { Implements: implemented } = await this.#ask(name, address, 'Plugin.Activate', {}, options)
    const list = Array.isArray(implemented) ? implemented.filter((one) => typeof one === 'string') : []
    this.#activated.set(key, list)
    return list
  }

  #plugin(name: string, address: PluginAddress): Plugin {
    return {
      name,
      call: async (method, body, options) => {
        const answer = await this.#ask(name, address, method, body, options)
        if (typeof answer.Err === 'string' && answer.Err !== '') throw new BerthError('internal', answer.Err)
        return answer
      },
    }
  }

  /** Repeats what did not reach the plugin, with longer and longer pauses. */
  async #ask(
    name: string,
    address: PluginAddress,
    method: string,
    body: object,
    { timeoutMs, once = false }: CallOptions,
  ): Promise<Readonly<Record<string, unknown>>> {
    const deadline = Date.now() + this.#options.retryMs
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return await askPlugin(address, method, body, { timeoutMs })
      } catch (error) {
        const unreachable = isBerthError(error) && error.details.unreachable === true
        // Whoever listens there next may be another one.
        if (unreachable) this.#activated.delete(keyOf(name, address))
        if (!unreachable || once || Date.now() + pauseMs > deadline) throw error
        this.#options.logger.warn('plugin can not be reached, trying again', {
          plugin: name,
          error: messageOf(error),
          pauseMs,
        })
        await sleep(pauseMs)
      }
    }
  }
}

function keyOf(name: string, address: PluginAddress): string {
  return `${name} ${JSON.stringify(address)}`
}
