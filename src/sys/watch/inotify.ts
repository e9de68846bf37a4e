/** inotify(7): events of files in watched directories, on one descriptor. */
import { closeFd, readFd } from '../native/fd.ts'
import { errno, rawSyscall, syscall, systemError } from '../native/ffi.ts'
import { FdPoll, type PollOptions } from '../native/poll.ts'

const inotifyInit = syscall('int inotify_init1(int flags)')
const inotifyAddWatch = syscall('int inotify_add_watch(int fd, const char *path, uint32_t mask)')
const inotifyRemoveWatch = rawSyscall('int inotify_rm_watch(int fd, int watch)')

const nonblockCloexec = 0o2004000
const onlyDirectory = 0x1000000
const headerBytes = 16

/** Bits of the masks of events and of watches. */
export const inOpen = 0x20
export const inCloseWrite = 0x8
export const inMovedTo = 0x80
/** Events were lost. Sent without being asked for, as is `inIgnored`. */
export const inQueueOverflow = 0x4000
/** The watch has ended: it was removed, or its directory was. */
export const inIgnored = 0x8000

/** One event. */
export interface InotifyEvent {
  /** Number of the watch; -1 when events were lost. */
  readonly watch: number
  readonly mask: number
  /** Name of the file in the directory; '' for events of the directory itself. */
  readonly name: string
}

/** One inotify descriptor with any number of watched directories. */
export class Inotify {
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafeSlow(4096)
  readonly #onEvent: (event: InotifyEvent) => void
  readonly #poll: FdPoll
  #closed = false

  private constructor(fd: number, onEvent: (event: InotifyEvent) => void, options: PollOptions) {
    this.#fd = fd
    this.#onEvent = onEvent
    this.#poll = FdPoll.start(fd, { read: true }, () => this.#read(), options)
  }

  /** Throws EMFILE when the user has too many inotify descriptors (fs.inotify.max_user_instances). */
  static open(onEvent: (event: InotifyEvent) => void, options: PollOptions = {}): Inotify {
    const fd = inotifyInit(nonblockCloexec)
    try {
      return new Inotify(fd, onEvent, options)
    } catch (error) {
      closeFd(fd)
      throw error
    }
  }

  /** Watches a directory and returns the watch's number. A directory that is already watched keeps its number and gets
   *  the new mask. Throws ENOENT, and ENOSPC when the user has too many watches (fs.inotify.max_user_watches). */
  add(path: string, mask: number): number {
    return inotifyAddWatch(this.#fd, path, mask | onlyDirectory)
  }

  /** Ends a watch. No error when it has ended before. */
  remove(watch: number): void {
    inotifyRemoveWatch(this.#fd, watch)
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#poll.stop()
    closeFd(this.#fd)
  }

  #read(): void {
    for (;;) {
      const count = this.#closed ? 0 : readFd(this.#fd, this.#buffer)
      if (count === -errno.EAGAIN || count === 0) return
      if (count < 0) throw systemError(count, 'read', 'inotify')
      for (const event of parseEvents(this.#buffer.subarray(0, count))) this.#onEvent(event)
    }
  }
}

function parseEvents(bytes: Buffer): InotifyEvent[] {
  const events: InotifyEvent[] = []
  for (let offset = 0; offset + headerBytes <= bytes.byteLength; ) {
    const watch = bytes.readInt32LE(offset)
    const mask = bytes.readUInt32LE(offset + 4)
    const length = bytes.readUInt32LE(offset + 12)
    const padded = bytes.toString('utf8', offset + headerBytes, offset + headerBytes + length)
    events.push({ watch, mask, name: padded.replace(/\0+$/, '') })
    offset += headerBytes + length
  }
  return events
}
