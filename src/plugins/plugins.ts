/** Docker's plugins: programs beside the daemon that answer a small protocol of JSON over HTTP. The daemon neither
 *  starts nor installs them. It looks for a plugin each time a request names one, so plugins may come and go.
 *  https://docs.docker.com/engine/extend/plugin_api/ */
import { setTimeout as sleep } from 'node:timers/promises'
import { BerthError, isBerthError, isKind, type Logger, messageOf, notFound } from '../base/index.ts'
import { findPlugin, listPlugins, type PluginAddress } from './plugin-address.ts'
import { askPlugin } from './plugin-request.ts'

/** Where plugins are found and how long the daemon waits for them. */
export interface PluginsOptions {
  /** Searched in this order for NAME.sock, NAME.spec and NAME.json. */
  readonly directories: readonly string[]
  /** For this long, calls to a plugin that can't be reached are repeated. */
  readonly retryMs: number
  readonly logger: Logger
}

/** How long a call waits. */
export interface CallOptions {
  /** How long an answer may take. */
  readonly timeoutMs: number
  /** Fail at once when the plugin can't be reached. */
  readonly once?: boolean
}

/** A plugin that answered the handshake. */
export interface Plugin {
  readonly name: string
  /** Calls a method (`VolumeDriver.Mount`) and returns the answer. Throws `unavailable` for a plugin that can't be
   *  reached or does not answer in time, and `internal` with the plugin's own message when it reports an error. */
  call(method: string, body: object, options: CallOptions): Promise<Readonly<Record<string, unknown>>>
}

const activateTimeoutMs = 30_000
/** For listings, which must not wait long for a plugin that hangs. */
const quickActivateTimeoutMs = 5_000
const firstPauseMs = 100
const longestPauseMs = 5_000

/** Finds plugins and talks to them. */
export class Plugins {
  readonly #options: PluginsOptions
  /** What each plugin implements, as it answered the handshake. Dropped when the plugin can't be reached. */
  readonly #activated = new Map<string, readonly string[]>()

  constructor(options: PluginsOptions) {
    this.#options = options
  }

  /** The plugin of that name, if it implements `capability` (`VolumeDriver`). Throws `notFound` when there is no such
   *  plugin or it implements something else, `unavailable` when it can't be reached. */
  async get(name: string, capability: string, { once = false }: { readonly once?: boolean } = {}): Promise<Plugin> {
    const address = findPlugin(this.#options.directories, name)
    if (address === undefined) throw notFound(`plugin "${name}" not found`)
    const implemented = await this.#activate(name, address, once)
    if (!implemented.includes(capability)) {
      throw notFound(`plugin "${name}" found, but it does not implement ${capability}`)
    }
    return this.#plugin(name, address)
  }

  /** All plugins that implement `capability` and can be reached now, and a message for each one that can't be asked. */
  async all(
    capability: string,
  ): Promise<{ readonly plugins: readonly Plugin[]; readonly failures: readonly string[] }> {
    const failures: string[] = []
    const found = await Promise.all(
      listPlugins(this.#options.directories).map(async (name) => {
        try {
          return await this.get(name, capability, { once: true })
        } catch (error) {
          // A plugin that implements something else is no failure.
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

  /** Repeats a call that did not reach the plugin, with growing pauses. */
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
        // Another plugin may listen at this address next.
        if (unreachable) this.#activated.delete(keyOf(name, address))
        if (!unreachable || once || Date.now() + pauseMs > deadline) throw error
        this.#options.logger.warn('plugin cannot be reached, trying again', {
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
