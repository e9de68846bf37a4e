/** The pid of an exec from a runtime that puts it into a file (runc moves one into place, so it can't be a pipe). */
import { basename, dirname } from 'node:path'
import { type DirectoryWatch, watchDirectory } from '../../sys/index.ts'
import { readPid, removeFile } from '../bundle/bundle.ts'

export class PidFile {
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

  /** The pid as soon as it is there; undefined when the runtime ends without one. */
  async pid(ended: Promise<unknown>): Promise<number | undefined> {
    return await Promise.race([this.#pid.promise, ended.then(() => readPid(this.path))])
  }

  /** Removes the file. */
  close(): void {
    this.#watch.close()
    removeFile(this.path)
  }
}
