/** Changes the SELinux label of a file, or of a directory and everything below it. A container that changes the tree at
 *  the same time must not redirect the labels elsewhere. So every directory is held by a descriptor, and names in it
 *  are labeled without following links. The system calls are synchronous, with a pause for other work every few
 *  milliseconds. */
import { closeSync, constants, type Dirent, openSync, readdirSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { errnoOf, TimeSlice } from '../../base/index.ts'
import { errno, rawSyscall, systemError } from '../native/ffi.ts'

// Names are bytes, because they need not be UTF-8.
const lgetxattrCall = rawSyscall(
  'int64_t lgetxattr(const uint8_t *path, const char *name, _Out_ uint8_t *value, size_t size)',
)
const lsetxattrCall = rawSyscall(
  'int lsetxattr(const uint8_t *path, const char *name, const uint8_t *value, size_t size, int flags)',
)

const attribute = 'security.selinux'
const oDirectory = constants.O_RDONLY | constants.O_DIRECTORY

/** Labels `path` and everything below it, including mounts. If `path` is a symlink, the link itself is labeled. Skips
 *  files that disappear meanwhile, and file systems without labels. Rejects with the system's error for the first file
 *  that can't be labeled. */
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

  /** Labels one file. A file that has the label already is not written, since it may be on a read-only file system. */
  #set(path: Buffer, shownAs: string): void {
    const length = lgetxattrCall(path, attribute, this.#present, this.#present.length)
    if (length > 0 && this.#isSame(this.#present.subarray(0, length))) return
    const result = lsetxattrCall(path, attribute, this.#label, this.#label.length, 0)
    if (result === 0 || result === -errno.ENOENT || result === -errno.ENOTSUP) return
    throw systemError(result, 'lsetxattr', shownAs)
  }

  /** Compares labels. Most programs store a terminating zero. */
  #isSame(present: Buffer): boolean {
    return present.equals(this.#label) || present.equals(Buffer.concat([this.#label, Buffer.of(0)]))
  }
}

/** The path of a name in an open directory, with a terminating zero. */
function pathIn(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), name, Buffer.of(0)])
}

function isMaybeDirectory(entry: Dirent<Buffer>): boolean {
  return entry.isDirectory() || !(entry.isFile() || entry.isSymbolicLink() || isSpecial(entry))
}

function isSpecial(entry: Dirent<Buffer>): boolean {
  return entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()
}

/** Undefined when the path is not a directory, or does not exist any more. */
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
