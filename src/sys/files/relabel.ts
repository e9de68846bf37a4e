/** Gives a file, or a directory with all that is below it, another label of SELinux. A container may be changing the
 *  tree at the same time, and must not lead the labels elsewhere: every directory is held by a descriptor, every name in
 *  it is labelled without following it. The system calls are synchronous, with a pause for others every few milliseconds. */
import { closeSync, constants, type Dirent, openSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf, TimeSlice } from '../../base/index.ts'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

// Names need not be UTF-8.
const lgetxattrCall = rawSyscall(
  'int64_t lgetxattr(const uint8_t *path, const char *name, _Out_ uint8_t *value, size_t size)',
)
const lsetxattrCall = rawSyscall(
  'int lsetxattr(const uint8_t *path, const char *name, const uint8_t *value, size_t size, int flags)',
)

const attribute = 'security.selinux'
const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** Labels `path`, whose last part is not followed if it is a symlink, and all below it, also on what is mounted there.
 *  What is gone by then, and file systems that have no labels, are passed by. Throws what the kernel says of the first
 *  file that can't be labelled. */
export async function relabelTree(path: string, label: string): Promise<void> {
  const parent = openSync(dirname(path), oDirectory)
  try {
    await new Relabelling(label).entry(parent, Buffer.from(basename(path)), path)
  } finally {
    closeSync(parent)
  }
}

class Relabelling {
  readonly #label: Buffer
  readonly #present = Buffer.alloc(4096)
  readonly #slice = new TimeSlice()

  constructor(label: string) {
    this.#label = Buffer.from(label)
  }

  async entry(parent: number, name: Buffer, shownAs: string): Promise<void> {
    const path = pathIn(parent, name)
    this.#set(path, shownAs)
    const directory = openDirectory(path)
    if (directory === undefined) return
    try {
      for (const entry of namesIn(directory)) {
        const shown = `${shownAs}/${entry.name.toString()}`
        if (isMaybeDirectory(entry)) await this.entry(directory, entry.name, shown)
        else this.#set(pathIn(directory, entry.name), shown)
        if (this.#slice.isOver) await this.#slice.renew()
      }
    } finally {
      closeSync(directory)
    }
  }

  /** One that has the label already is not written: it may be on a file system that is read-only. */
  #set(path: Buffer, shownAs: string): void {
    const length = lgetxattrCall(path, attribute, this.#present, this.#present.length)
    if (length > 0 && this.#isSame(this.#present.subarray(0, length))) return
    const result = lsetxattrCall(path, attribute, this.#label, this.#label.length, 0)
    if (result === 0 || result === -errno.ENOENT || result === -errno.ENOTSUP) return
    throw systemError(result, 'lsetxattr', shownAs)
  }

  /** Most programs write a label with the zero at its end. */
  #isSame(present: Buffer): boolean {
    return present.equals(this.#label) || present.equals(Buffer.concat([this.#label, Buffer.of(0)]))
  }
}

/** With the zero that ends it. */
function pathIn(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name, Buffer.of(0)])
}

function isMaybeDirectory(entry: Dirent<Buffer>): boolean {
  return entry.isDirectory() || !(entry.isFile() || entry.isSymbolicLink() || isSpecial(entry))
}

function isSpecial(entry: Dirent<Buffer>): boolean {
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()
}

/** Undefined for what is none, or not any more. */
function openDirectory(path: Buffer): number | undefined {
  try {
    return openSync(path.subarray(0, -1), oDirectory | constants.O_NOFOLLOW)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

function namesIn(directory: number): Dirent<Buffer>[] {
  return readdirSync(`/proc/self/fd/${directory}`, { encoding: 'buffer', withFileTypes: true })
}
