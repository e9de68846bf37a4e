/** A volume plugin in the test's process: Docker's plugin protocol on a unix socket, with directories as volumes.
 *  https://docs.docker.com/engine/extend/plugins_volume/ */
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'

interface Kept {
  readonly directory: string
  readonly options: Readonly<Record<string, string>>
  /** Ids of the mounts' users. */
  readonly holders: Set<string>
}

export interface PluginCall {
  readonly method: string
  readonly body: Readonly<Record<string, unknown>>
}

/** A running plugin. `calls` has all calls, in order. */
export class VolumePlugin implements AsyncDisposable {
  readonly calls: PluginCall[] = []
  readonly volumes = new Map<string, Kept>()
  /** Answers these methods with an error instead. */
  readonly failing = new Map<string, string>()
  scope: 'local' | 'global' = 'global'
  readonly #root: string
  readonly #socket: string
  #server: Server | undefined

  private constructor(root: string, socket: string) {
    this.#root = root
    this.#socket = socket
  }

  /** Serves at `<directory>/<name>.sock`; its volumes are below `root`. */
  static async start(options: { directory: string; name: string; root: string }): Promise<VolumePlugin> {
    mkdirSync(options.directory, { recursive: true })
    const plugin = new VolumePlugin(options.root, join(options.directory, `${options.name}.sock`))
    await plugin.listen()
    return plugin
  }

  /** Serves (again). */
  async listen(): Promise<void> {
    rmSync(this.#socket, { force: true })
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const method = (request.url ?? '').slice(1)
        const body = text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
        this.calls.push({ method, body })
        const error = this.failing.get(method)
        const answer = error === undefined ? this.#answer(method, body) : { Err: error }
        response.setHeader('Content-Type', 'application/vnd.docker.plugins.v1.2+json')
        response.end(JSON.stringify(answer))
      })
    })
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#socket, resolve))
  }

  /** Stops serving; its volumes stay. */
  async stop(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  /** The ids for which a volume is mounted. */
  holders(name: string): string[] {
    return [...(this.volumes.get(name)?.holders ?? [])]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
    rmSync(this.#socket, { force: true })
  }

  #answer(method: string, body: Readonly<Record<string, unknown>>): object {
    const name = String(body.Name ?? '')
    const kept = this.volumes.get(name)
    if (method === 'Plugin.Activate') return { Implements: ['VolumeDriver'] }
    if (method === 'VolumeDriver.Capabilities') return { Capabilities: { Scope: this.scope } }
    if (method === 'VolumeDriver.List') return { Volumes: [...this.volumes].map(([key, one]) => shown(key, one)) }
    if (method === 'VolumeDriver.Create') {
      this.make(name, body.Opts as Record<string, string> | undefined)
      return {}
    }
    if (kept === undefined) return { Err: 'volume not found' }
    if (method === 'VolumeDriver.Get') return { Volume: { ...shown(name, kept), Status: { options: kept.options } } }
    if (method === 'VolumeDriver.Path') return { Mountpoint: kept.directory }
    if (method === 'VolumeDriver.Remove') this.volumes.delete(name)
    else if (method === 'VolumeDriver.Mount') kept.holders.add(String(body.ID))
    else if (method === 'VolumeDriver.Unmount') kept.holders.delete(String(body.ID))
    return { Mountpoint: kept.directory }
  }

  /** Creates a volume as another client's request would. */
  make(name: string, options: Readonly<Record<string, string>> = {}): void {
    const directory = join(this.#root, name)
    mkdirSync(directory, { recursive: true })
    this.volumes.set(name, { directory, options, holders: this.volumes.get(name)?.holders ?? new Set() })
  }
}

function shown(name: string, { directory }: Kept): object {
  return { Name: name, Mountpoint: directory }
}
