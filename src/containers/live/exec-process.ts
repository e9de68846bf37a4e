/** One exec: an extra process in a running container, described at create and run once at start. It is kept in memory
 *  only. Like Docker's, it is forgotten when the daemon ends, while the process itself goes on. */
import type { ExecConfig, ExecInspect } from '../../api/index.ts'
import type { ExecHandle } from '../../runtime/index.ts'
import { parseDetachKeys } from './detach-keys.ts'

/** The state of one exec: created, running or ended. */
export class ExecProcess {
  readonly id: string
  readonly containerId: string
  readonly config: ExecConfig
  /** Undefined unless the process runs. */
  handle: ExecHandle | undefined
  started = false
  /** Process id on the host; 0 before the process runs. It is kept after the end, for inspect. */
  pid = 0
  readonly #ready = Promise.withResolvers<void>()
  /** Resolves when the process runs, or when its start has failed. */
  readonly ready = this.#ready.promise
  exitCode: number | undefined

  constructor(id: string, containerId: string, config: ExecConfig) {
    this.id = id
    this.containerId = containerId
    this.config = config
  }

  /** Call when the process runs, or when its start has failed. */
  setReady(): void {
    this.#ready.resolve()
  }

  begin(handle: ExecHandle): void {
    this.handle = handle
    this.pid = handle.pid
  }

  /** Records the exit code and drops the handle; inspect still works. */
  end(exitCode: number): void {
    this.exitCode = exitCode
    this.handle = undefined
    this.setReady()
  }

  get running(): boolean {
    return this.handle !== undefined
  }

  /** The answer to `GET /exec/{id}/json`. */
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
      // Docker answers false for every exec that clients can see.
      CanRemove: false,
      ContainerID: this.containerId,
      // A byte array in JSON is base64, as Go encodes it.
      DetachKeys: keys.toString('base64'),
      Pid: this.pid,
    }
  }
}
