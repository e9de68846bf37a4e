/** The OCI runtime program (crun, or runc by configuration) and the two things that are done without it when it
 *  is crun: starting a created container and removing what an ended one left, 5 ms each as processes.
 *  Both follow what crun itself does on disk and fall back to the program at the first surprise. */
import { constants, existsSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, internal } from '../base/index.ts'
import { closeFd, openFd, runCommand, writeFd } from '../sys/index.ts'
import { runtimeRootPath } from './paths.ts'
import { runtimeError } from './runtime-errors.ts'

const commandTimeoutMs = 30_000

/** One configured runtime program. */
export class OciRuntime {
  readonly path: string
  readonly #root: string
  readonly #isCrun: boolean

  constructor(path: string, execRoot: string) {
    this.path = path
    this.#root = runtimeRootPath(execRoot, path)
    this.#isCrun = basename(path).includes('crun')
  }

  /** Arguments that come before every command. */
  get globalArgs(): readonly string[] {
    return this.#isCrun ? ['--root', this.#root, '--cgroup-manager=cgroupfs'] : ['--root', this.#root]
  }

  /** True while the container was created but never started. */
  isWaiting(id: string): boolean {
    return existsSync(this.#fifo(id))
  }

  /** Lets a created container run its program. */
  async start(id: string, command: string): Promise<void> {
    if (this.#isCrun && this.#startByFifo(id)) return
    const { code, stderr } = await this.#run(['start', id])
    if (code !== 0) throw runtimeError(stderr, { work: 'start', command })
  }

  /** Removes a container's state and cgroup; with `force` it is killed first. No container: no error. */
  async delete(id: string, { force }: { readonly force: boolean }): Promise<void> {
    if (!existsSync(join(this.#root, id))) return
    if (this.#isCrun && !force && this.#deleteByHand(id)) return
    const { code, stderr } = await this.#run(force ? ['delete', '--force', id] : ['delete', id])
    if (code !== 0 && existsSync(join(this.#root, id))) {
      throw internal(`cannot delete container ${id}: ${stderr.trim()}`)
    }
  }

  #run(args: readonly string[]) {
    return runCommand(this.path, [...this.globalArgs, ...args], { timeoutMs: commandTimeoutMs })
  }

  #fifo(id: string): string {
    return join(this.#root, id, 'exec.fifo')
  }

  /** A created crun container waits for one byte from this fifo. */
  #startByFifo(id: string): boolean {
    const path = this.#fifo(id)
    let fd: number
    try {
      // Non-blocking: a container that died while it waited has no reader (ENXIO), and must not hang the daemon.
      fd = openFd(path, constants.O_WRONLY | constants.O_NONBLOCK)
    } catch {
      return false
    }
    try {
      unlinkSync(path)
      return writeFd(fd, Buffer.alloc(1)) === 1
    } catch {
      return false
    } finally {
      closeFd(fd)
    }
  }

  #deleteByHand(id: string): boolean {
    const home = join(this.#root, id)
    try {
      const status = JSON.parse(readFileSync(join(home, 'status'), 'utf8')) as { 'cgroup-path'?: unknown }
      const cgroup = status['cgroup-path']
      if (typeof cgroup !== 'string' || cgroup === '' || cgroup === '/') return false
      throw Object.assign(new Error(), { code: 'EBUSY' })
      rmSync(home, { recursive: true, force: true })
      return true
    } catch (error) {
      // EBUSY: processes are left in the cgroup, which crun kills; anything else it will name itself.
      if (errnoOf(error) === undefined && !(error instanceof SyntaxError)) throw error
      return false
    }
  }
}
