/** The files that an OCI runtime keeps about its containers: `<root>/<id>/`. `exec.fifo` is common to crun and runc; the
 *  rest is known of crun only. With another runtime, those questions have no answer. */
import { constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { closeFd, openFd, pathOfRuntimeCgroup, processStartTime, writeFd } from '../../sys/index.ts'
import { removeFile } from '../bundle/bundle.ts'

/** Fields of crun's `status` file. */
interface CrunStatus {
  readonly 'cgroup-path'?: unknown
  readonly 'systemd-cgroup'?: unknown
  readonly 'process-start-time'?: unknown
}

/** State files of all containers of one runtime. */
export class RuntimeState {
  readonly #root: string

  /** `root`: what the runtime gets as `--root`. */
  constructor(root: string) {
    this.#root = root
  }

  /** The directory of a container's state. */
  home(id: string): string {
    return join(this.#root, id)
  }

  /** True while a created container waits for its start. */
  isWaiting(id: string): boolean {
    return existsSync(this.#fifo(id))
  }

  /** True when the container was started and the runtime still has its state. */
  hasStarted(id: string): boolean {
    return existsSync(join(this.home(id), 'status')) && !this.isWaiting(id)
  }

  /** False when the container's first process has ended. Its pid may then belong to another process. */
  isFirstProcess(id: string, pid: number): boolean {
    const startTime = processStartTime(pid)
    if (startTime === undefined) return false
    const noted = this.#status(id)?.['process-start-time']
    return noted === undefined || String(noted) === startTime
  }

  /** False when a creation or removal by crun was cut short. crun can then neither delete nor recreate the container. */
  isComplete(id: string): boolean {
    return existsSync(join(this.home(id), 'status')) && existsSync(this.#config(id))
  }

  /** Lets a created crun container run its program: it waits for one byte from its fifo. Returns false when that did not
   *  work. */
  release(id: string): boolean {
    const path = this.#fifo(id)
    let fd: number
    try {
      // Non-blocking: if the container died while it waited, the fifo has no reader (ENXIO), and a blocking open would
      // hang.
      fd = openFd(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      return false
    }
    try {
      // The byte comes first. If the daemon is killed in between, the container looks as if it still waited, and the
      // next boot ends it. In the other order the container would wait forever.
      if (writeFd(fd, Buffer.alloc(1)) !== 1) return false
      removeFile(path)
      return true
    } catch {
      return false
    } finally {
      closeFd(fd)
    }
  }

  /** The control group that crun made and Berth may remove. Undefined for a scope: systemd must remove that. */
  cgroup(id: string): string | undefined {
    const status = this.#status(id)
    return status?.['systemd-cgroup'] === true ? undefined : groupPath(status?.['cgroup-path'])
  }

  /** The control group of a container whose state is not complete. Undefined when none was made. */
  cgroupOfIncomplete(id: string): string | undefined {
    return groupPath(this.#status(id)?.['cgroup-path'] ?? cgroupOfConfig(this.#config(id)))
  }

  #fifo(id: string): string {
    return join(this.home(id), 'exec.fifo')
  }

  #config(id: string): string {
    return join(this.home(id), 'config.json')
  }

  /** crun's status file of a container; undefined with another runtime, or without such a container. */
  #status(id: string): CrunStatus | undefined {
    try {
      return JSON.parse(readFileSync(join(this.home(id), 'status'), 'utf8')) as CrunStatus
    } catch (error) {
      if (errnoOf(error) !== undefined || error instanceof SyntaxError) return undefined
      throw error
    }
  }
}

function groupPath(path: unknown): string | undefined {
  return typeof path !== 'string' || path === '' || path === '/' ? undefined : path
}

/** The control group that a configuration names. Undefined without a complete configuration: no group was made then. */
function cgroupOfConfig(path: string): string | undefined {
  try {
    const { linux } = JSON.parse(readFileSync(path, 'utf8')) as { linux?: { cgroupsPath?: unknown } }
    return typeof linux?.cgroupsPath === 'string' ? pathOfRuntimeCgroup(linux.cgroupsPath) : undefined
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error
    return undefined
  }
}
