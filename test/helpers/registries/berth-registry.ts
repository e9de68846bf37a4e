/** Berth's registry server as a process, with its own port and a temporary folder. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type CommandResult, RunningCommand, runCommand } from '../command.ts'
import { berthProgram } from '../daemons/daemon.ts'
import { until } from '../wait.ts'

export interface BerthRegistryOptions {
  /** `registry.yml`; `listen` is added, and `storage` if it is missing. The text can name files as `ROOT/…`. */
  readonly config?: string
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>
}

/** As text and as JSON. */
const readyLine = /the registry is ready.* ?addresses(?:=|":")(https?:[^\s"]+).*\n/

export class BerthRegistry implements AsyncDisposable {
  readonly root: string
  #process: RunningCommand | undefined
  #port = 0
  #url = ''

  private constructor(root: string) {
    this.root = root
  }

  /** Starts a registry; with `await using` it ends with the test. */
  static async start({ config = '', files = {} }: BerthRegistryOptions = {}): Promise<BerthRegistry> {
    const registry = new BerthRegistry(mkdtempSync('/tmp/b-br-'))
    for (const [name, content] of Object.entries(files)) writeFileSync(registry.path(name), content)
    registry.configure(config)
    try {
      await registry.start()
    } catch (error) {
      await registry[Symbol.asyncDispose]()
      throw error
    }
    return registry
  }

  /** A file beside the configuration. */
  path(name: string): string {
    return join(this.root, name)
  }

  /** Replaces the configuration, which applies from the next start or SIGHUP. */
  configure(config: string): void {
    const storage = /^storage:/m.test(config) ? '' : 'storage: {folder: storage}\n'
    writeFileSync(this.path('registry.yml'), config.replaceAll('ROOT', this.root) + storage)
  }

  /** Starts it again on the same port. */
  async start(): Promise<void> {
    const listen = ['--listen', `127.0.0.1:${this.#port}`]
    this.#process = new RunningCommand(berthProgram, [
      ...['registry', 'serve', '--config', this.path('registry.yml')],
      ...listen,
    ])
    const ended = this.#process.ended.then(({ stderr }) => {
      throw new Error(`the registry ended:\n${stderr}`)
    })
    ended.catch(() => {}) // only used while it starts
    await Promise.race([this.#process.sees(readyLine), ended])
    this.#url = readyLine.exec(this.log)?.[1] ?? ''
    this.#port = Number(new URL(this.#url).port)
  }

  /** `http://127.0.0.1:PORT`. */
  get url(): string {
    return this.#url
  }

  /** `127.0.0.1:PORT`, the first part of its references. */
  get name(): string {
    return `127.0.0.1:${this.#port}`
  }

  get pid(): number {
    return this.#running.pid
  }

  /** Everything that it logged: its own log and the access log. */
  get log(): string {
    return this.#running.stderr + this.#running.stdout
  }

  async sees(pattern: RegExp | string): Promise<void> {
    await this.#running.sees(pattern)
  }

  /** Waits until this many requests send data to uploads. */
  async seesUploads(count: number): Promise<void> {
    const metric = `berth_registry_uploads_in_progress ${count}\n`
    await until(async () => (await (await fetch(`${this.#url}/metrics`)).text()).includes(metric), { what: metric })
  }

  /** Resolves when it has ended, with the way it ended. */
  get ended(): Promise<CommandResult> {
    return this.#running.ended
  }

  kill(signal: NodeJS.Signals): void {
    this.#running.kill(signal)
  }

  /** Stops it and waits for its exit. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<CommandResult> {
    this.#running.kill(signal)
    return await this.#running.ended
  }

  /** `berth registry ARGS --config …` on the same configuration. */
  command(args: readonly string[]): Promise<CommandResult> {
    return runCommand(berthProgram, ['registry', ...args, '--config', this.path('registry.yml')])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process !== undefined) await this.stop('SIGKILL')
    rmSync(this.root, { recursive: true, force: true })
  }

  get #running(): RunningCommand {
    if (this.#process === undefined) throw new Error('the registry was not started')
    return this.#process
  }
}
