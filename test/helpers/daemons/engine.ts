/** An engine inside the test's own process: a test can make single methods of its parts fail (`t.mock.method`). */
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFields, Logger } from '../../../src/base/index.ts'
import { type Engine, openEngine } from '../../../src/daemon/index.ts'
import { runOrThrow } from '../command.ts'
import { writeBusyboxArchive } from '../images/test-image.ts'
import { type ApiResponse, type RequestBody, requestOverSocket } from './api.ts'
import { clientProgram, removeHostTraces } from './daemon.ts'

/** One line of the engine's log. */
export interface LogLine extends LogFields {
  readonly level: string
  readonly message: string
}

export class TestEngine implements AsyncDisposable {
  readonly root: string
  readonly socket: string
  readonly log: LogLine[] = []
  #engine: Engine | undefined

  private constructor() {
    this.root = mkdtempSync('/tmp/b-')
    this.socket = join(this.root, 's')
  }

  /** Opens an engine on a new root. Dispose it with `await using`. */
  static async open(settings: Readonly<Record<string, unknown>> = {}): Promise<TestEngine> {
    const engine = new TestEngine()
    try {
      await engine.open(settings)
    } catch (error) {
      await engine[Symbol.asyncDispose]()
      throw error
    }
    return engine
  }

  get dataRoot(): string {
    return join(this.root, 'd')
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('the engine is closed')
    return this.#engine
  }

  /** Opens an engine again on the same root. The one before must be closed. */
  async open(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const roots = { 'data-root': this.dataRoot, 'exec-root': join(this.root, 'x') }
    const logger = recordingLogger(this.log)
    this.#engine = await openEngine({ ...roots, hosts: [`unix://${this.socket}`], ...settings }, { logger })
  }

  /** One request of the Engine API. */
  api<T = unknown>(method: string, path: string, body?: RequestBody): Promise<ApiResponse<T>> {
    return requestOverSocket<T>(this.socket, method, path, body)
  }

  /** Creates a busybox container and returns its id. `more` are further fields of the create request. */
  async create(
    name: string,
    command: readonly string[],
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const request = { Image: 'busybox', Cmd: command, ...more }
    const { status, body } = await this.api<{ Id: string }>('POST', `/containers/create?name=${name}`, request)
    if (status !== 201) throw new Error(`create ${name}: ${status} ${JSON.stringify(body)}`)
    return body.Id
  }

  async loadBusybox(): Promise<void> {
    const archive = join(this.root, 'busybox.tar')
    await writeBusyboxArchive({ path: archive })
    await runOrThrow(clientProgram, ['-H', `unix://${this.socket}`, 'load', '-q', '-i', archive])
    rmSync(archive)
  }

  /** Closes the engine; containers keep running. */
  async close(...options: Parameters<Engine['close']>): Promise<void> {
    const { engine } = this
    this.#engine = undefined
    await engine.close(...options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      if (this.#engine !== undefined) {
        const { body } = await this.api<{ Id: string }[]>('GET', '/containers/json?all=1')
        for (const { Id } of body) await this.api('DELETE', `/containers/${Id}?force=1&v=1`)
        await this.close({ removeNetwork: true })
      }
    } finally {
      removeHostTraces(this.dataRoot)
      rmSync(this.root, { recursive: true, force: true })
    }
  }
}

function recordingLogger(lines: LogLine[], fields: LogFields = {}): Logger {
  const at =
    (level: string) =>
    (message: string, more: LogFields = {}): void => {
      lines.push({ ...fields, ...more, level, message })
    }
  return {
    child: (more) => recordingLogger(lines, { ...fields, ...more }),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
