/** How an OCI runtime gets the process of an exec, and returns its pid: through descriptors (crun), or through files
 *  (runc). */
import { rmSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { OciProcess } from '../../oci/index.ts'
import { closeFd, type DirectoryWatch, FdWriter, makePipe, watchDirectory } from '../../sys/index.ts'
import { readPid, removeFile } from '../bundle/bundle.ts'

/** The runtime's descriptor for the pid. */
export const pidFd = 4
const processFd = 6

/** The two ways that files or descriptors carry a process to the runtime and its pid back. */
export interface ProcessFiles {
  /** What the runtime reads the process from (`--process`). */
  readonly processPath: string
  /** What the runtime writes the pid to (`--pid-file`). */
  readonly pidPath: string
  /** Descriptors for the runtime: its number → ours. */
  readonly childEnds: ReadonlyMap<number, number>
  /** Closes our copies of `childEnds`, once the runtime has its own. */
  closeChildEnds(): void
  /** Gives the process to the runtime. */
  send(process: OciProcess): void
  /** The pid, or undefined when the runtime ends without one. Absent: the pid comes through the descriptor `pidFd`. */
  pid?(ended: Promise<unknown>): Promise<number | undefined>
  /** Removes files and closes descriptors. Idempotent. */
  close(): void
}

/** Descriptors, for crun. */
export class ProcessPipe implements ProcessFiles {
  readonly processPath = `/dev/fd/${processFd}`
  readonly pidPath = `/dev/fd/${pidFd}`
  readonly childEnds: ReadonlyMap<number, number>
  readonly #read: number
  readonly #writer: FdWriter

  constructor() {
    const [read, write] = makePipe()
    this.#read = read
    this.childEnds = new Map([[processFd, read]])
    this.#writer = FdWriter.open(write, {}, { unref: true })
  }

  closeChildEnds(): void {
    closeFd(this.#read)
  }

  send(process: OciProcess): void {
    this.#writer.write(Buffer.from(JSON.stringify(process)))
    this.#writer.end()
  }

  close(): void {
    this.#writer.close()
  }
}

/** Files, for runc, which reads the process as soon as it starts. */
export class ProcessFile implements ProcessFiles {
  readonly processPath: string
  readonly pidPath: string
  readonly childEnds = new Map<number, number>()
  readonly #pid: PidFile

  constructor(path: string, process: OciProcess | undefined) {
    this.processPath = path
    this.pidPath = `${path}.pid`
    this.#pid = new PidFile(this.pidPath)
    // The process includes its environment, which may hold passwords.
    writeFileSync(path, JSON.stringify(process), { mode: 0o600 })
  }

  closeChildEnds(): void {
    // The runtime gets only paths.
  }

  send(): void {
    // The constructor has written the file.
  }

  pid(ended: Promise<unknown>): Promise<number | undefined> {
    return this.#pid.pid(ended)
  }

  close(): void {
    rmSync(this.processPath, { force: true })
    this.#pid.close()
  }
}

/** A pid file that the runtime writes. runc renames it into place, so it can't be a pipe. */
class PidFile {
  readonly path: string
  readonly #pid = Promise.withResolvers<number | undefined>()
  readonly #watch: DirectoryWatch

  /** `path` must not exist; its directory must. */
  constructor(path: string) {
    this.path = path
    const look = () => {
      const pid = readPid(path)
      if (pid !== undefined) this.#pid.resolve(pid)
    }
    const onFile = (name: string) => {
      if (name === basename(path)) look()
    }
    this.#watch = watchDirectory(dirname(path), { onFile, onLost: look }, { unref: true })
  }

  /** Resolves with the pid as soon as the file exists; with undefined when the runtime (`ended`) ends without one. */
  async pid(ended: Promise<unknown>): Promise<number | undefined> {
    return await Promise.race([this.#pid.promise, ended.then(() => readPid(this.path))])
  }

  /** Stops watching and removes the file. */
  close(): void {
    this.#watch.close()
    removeFile(this.path)
  }
}
