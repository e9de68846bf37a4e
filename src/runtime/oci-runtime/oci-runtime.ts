/** The OCI runtime program: crun, or another one by configuration. With crun, Berth starts a created container and
 *  removes an ended one by itself, which saves a process of 5 ms each. Both do on disk what crun does, and fall back to
 *  the program at the first surprise. */
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { errnoOf, internal, invalidArgument } from '../../base/index.ts'
import type { OciResources } from '../../oci/index.ts'
import { closeFd, dissolveCgroup, runCommand, sealedCopy } from '../../sys/index.ts'
import { removeFile } from '../bundle/bundle.ts'
import { runtimeRootPath } from '../bundle/paths.ts'
import { findProgram } from '../programs/find-program.ts'
import { runtimeError } from '../programs/runtime-errors.ts'
import type { CompiledFilter } from '../spec/build-spec.ts'
import { RuntimeState } from './runtime-state.ts'
import { compiledFilterAnnotation, SeccompCache } from './seccomp-cache.ts'

const commandTimeoutMs = 30_000
/** How long killed processes may take to leave a control group on a busy machine. */
const groupPatienceMs = 10_000

/** A program on the host, and the arguments before each of its commands. */
export interface RuntimeProgram {
  readonly path: string
  readonly args: readonly string[]
}

/** One configured runtime program. */
export class OciRuntime {
  /** Path to execute: the configured program, or its copy in sealed memory (which spares crun its own protection
   *  against CVE-2019-5736, a copy at each start). */
  readonly program: string
  /** What the runtime knows about its containers. */
  readonly state: RuntimeState
  readonly #root: string
  /** True when behavior that only crun has may be relied on. */
  readonly isCrun: boolean
  readonly #filters = new SeccompCache()
  readonly #takesFilters: boolean
  readonly #args: readonly string[]
  #sealedFd: number

  private constructor(path: string, args: readonly string[], execRoot: string, sealedFd: number) {
    this.#args = args
    this.program = sealedFd === -1 ? path : `/proc/${process.pid}/fd/${sealedFd}`
    this.#sealedFd = sealedFd
    this.#root = runtimeRootPath(execRoot, path)
    this.state = new RuntimeState(this.#root)
    this.isCrun = basename(path).includes('crun')
    this.#takesFilters = this.isCrun && readFileSync(path).includes(compiledFilterAnnotation)
  }

  /** Throws `invalidArgument` when the program is not installed. */
  static async open({ path, args }: RuntimeProgram, execRoot: string): Promise<OciRuntime> {
    const found = findProgram(path)
    if (found === undefined) throw invalidArgument(`OCI runtime ${path} is not an executable file`)
    return new OciRuntime(found, args, execRoot, await trySeal(found))
  }

  /** Arguments that come before every command. */
  get globalArgs(): readonly string[] {
    return [...this.#args, '--root', this.#root, ...(this.isCrun ? ['--cgroup-manager=cgroupfs'] : [])]
  }

  /** The arguments before `create`. If `cgroupsPath` names a systemd scope and not a path, systemd makes the control
   *  group. The runtime remembers which of them made it. */
  createArgs(cgroupsPath: string): readonly string[] {
    if (cgroupsPath.startsWith('/')) return this.globalArgs
    return [...this.#args, '--root', this.#root, this.isCrun ? '--cgroup-manager=systemd' : '--systemd-cgroup']
  }

  /** Lets a created container run its program (`command`, for error messages). Rejects with a typed error when the
   *  runtime can't. */
  async start(id: string, command: string): Promise<void> {
    if (this.isCrun && this.state.release(id)) return
    const { code, stderr } = await this.#run(['start', id])
    if (code !== 0) throw runtimeError(stderr, { work: 'start', command })
  }

  /** Removes a container's state and control group; with `force`, kills the container first. No error when there is no
   *  such container. Throws `internal` when something can't be removed. */
  async delete(id: string, { force }: { readonly force: boolean }): Promise<void> {
    const home = this.state.home(id)
    if (!existsSync(home)) return
    if (this.isCrun && !this.state.isComplete(id)) {
      const cgroup = this.state.cgroupOfIncomplete(id)
      if (cgroup !== undefined) await dissolveCgroup(cgroup, groupPatienceMs)
      rmSync(home, { recursive: true, force: true })
      return
    }
    if (this.isCrun && !force && (await this.#deleteByHand(id))) return
    const cgroup = this.state.cgroup(id)
    const { code, stderr } = await this.#run(force ? ['delete', '--force', id] : ['delete', id])
    if (code !== 0 && existsSync(home)) {
      throw internal(`cannot delete container ${id}: ${stderr.trim()}`)
    }
    // If an exec is entering the group, crun only warns that the group stays busy.
    if (cgroup !== undefined && !(await dissolveCgroup(cgroup, groupPatienceMs))) {
      throw internal(`the control group of container ${id} stays busy: ${cgroup}`)
    }
  }

  /** Changes limits of a running container; those that are not given stay. `path`: a file that the call creates and
   *  removes. Throws `internal` with the runtime's message; some limits may have changed by then. */
  async update(id: string, resources: OciResources, path: string): Promise<void> {
    writeFileSync(path, JSON.stringify(resources), { mode: 0o600 })
    try {
      const { code, stderr } = await this.#run(['update', '--resources', path, id])
      if (code !== 0) throw internal(stderr.trim())
    } finally {
      removeFile(path)
    }
  }

  /** The compiled filter of a `linux.seccomp`; undefined when this runtime must compile it itself. */
  compiledFilter(seccompJson: string | undefined): CompiledFilter | undefined {
    return seccompJson === undefined || !this.#takesFilters ? undefined : this.#filters.compiled(seccompJson)
  }

  /** Closes the copy of the program. Idempotent. */
  close(): void {
    if (this.#sealedFd !== -1) closeFd(this.#sealedFd)
    this.#sealedFd = -1
  }

  #run(args: readonly string[]) {
    return runCommand(this.program, [...this.globalArgs, ...args], { timeoutMs: commandTimeoutMs })
  }

  async #deleteByHand(id: string): Promise<boolean> {
    const home = this.state.home(id)
    try {
      const cgroup = this.state.cgroup(id)
      if (cgroup === undefined || !(await dissolveCgroup(cgroup, groupPatienceMs))) return false
      for (const name of readdirSync(home)) unlinkSync(join(home, name))
      rmdirSync(home)
      return true
    } catch (error) {
      // crun will handle the obstacle, or report it.
      if (errnoOf(error) === undefined && !(error instanceof SyntaxError)) throw error
      return false
    }
  }
}

const elfMagic = '\x7fELF'

/** A descriptor of the program in sealed memory; -1 where such a copy can't be executed (hardened hosts, scripts). */
async function trySeal(path: string): Promise<number> {
  if (!startsWith(path, elfMagic)) return -1
  let fd: number
  try {
    fd = sealedCopy(path, basename(path))
  } catch {
    return -1
  }
  const works = await runCommand(`/proc/${process.pid}/fd/${fd}`, ['--version'], { timeoutMs: commandTimeoutMs }).then(
    ({ code }) => code === 0,
    () => false,
  )
  if (works) return fd
  closeFd(fd)
  return -1
}

function startsWith(path: string, magic: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const start = Buffer.alloc(magic.length)
    return readSync(fd, start, 0, start.length, 0) === start.length && start.toString('latin1') === magic
  } finally {
    closeSync(fd)
  }
}
