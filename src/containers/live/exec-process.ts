/** One exec of a container: asked for at create, run once at start. Kept in memory; gone with the daemon, as
 *  Docker's are, while the process itself lives on in its container. */
import type { ExecConfig, ExecInspect } from '../../api/index.ts'
import type { ExecHandle } from '../../runtime/index.ts'
import { parseDetachKeys } from './detach-keys.ts'

export class ExecProcess {
  readonly id: string
  readonly containerId: string
  readonly config: ExecConfig
  /** While it runs. */
  handle: ExecHandle | undefined
  started = false
  /** Of its process, once it has run; it stays to be seen. */
  pid = 0
  readonly #ready = Promise.withResolvers<void>()
  /** Resolves when the process runs, or its start has failed. */
  readonly ready = this.#ready.promise
  exitCode: number | undefined

  constructor(id: string, containerId: string, config: ExecConfig) {
    this.id = id
    this.containerId = containerId
    this.config = config
  }

  /** The process runs, or its start has failed. */
  setReady(): void {
    this.#ready.resolve()
  }

  begin(handle: ExecHandle): void {
    this.handle = handle
    this.pid = handle.pid
  }

  /** Lets go all but what can be inspected. */
  end(exitCode: number): void {
    this.exitCode = exitCode
    this.handle = undefined
    this.setReady()
  }

  get running(): boolean {
    return this.handle !== undefined
  }

  /** `GET /exec/{id}/json`. */
  inspect(): ExecInspect {
    const [entrypoint = '', ...args] = this.config.Cmd ?? []
    const keys = this.config.DetachKeys ? parseDetachKeys(this.config.DetachKeys) : Buffer.alloc(0)
    return {
      ID: this.id,
      Running: this.running,
      ExitCode: this.exitCode ?? null,
      ProcessConfig: {
        tty: this.config.Tty === true,
        entrypoint,
        arguments: args,
        privileged: this.config.Privileged === true,
        ...(this.config.User ? { user: this.config.User } : {}),
      },
      OpenStdin: this.config.AttachStdin === true,
      OpenStderr: this.config.AttachStderr === true,
      OpenStdout: this.config.AttachStdout === true,
      // Docker says so of none that clients can ask for.
      CanRemove: false,
      ContainerID: this.containerId,
      // Bytes in JSON, as Go writes them.
      DetachKeys: keys.toString('base64'),
      Pid: this.pid,
    }
  }
}
