/** Tells of new files in one directory (conmon's exit files), through inotify. */

import { closeFd, readFd } from './fd.ts'
import { errno, syscall, systemError } from './ffi.ts'
import { FdPoll, type PollOptions } from './poll.ts'

const inotifyInit = syscall('int inotify_init1(int flags)')
const inotifyAddWatch = syscall('int inotify_add_watch(int fd, const char *path, uint32_t mask)')

const inNonblockCloexec = 0o2004000
const inCloseWrite = 0x8
const inMovedTo = 0x80
const inQueueOverflow = 0x4000
const inIgnored = 0x8000
const inOnlyDirectory = 0x1000000
const headerBytes = 16

export interface DirectoryWatch {
  /** Idempotent. */
  close(): void
}

export interface WatchHandlers {
  /** A file is complete: its writer closed it, or it was moved here. */
  onFile(name: string): void
  /** Events were lost or the directory itself is gone: the receiver must list the directory. */
  onLost?(): void
}

/** Watches a directory that exists. List it after this call, so that no file falls between the two. */
export function watchDirectory(path: string, handlers: WatchHandlers, options: PollOptions = {}): DirectoryWatch {
  const fd = inotifyInit(inNonblockCloexec)
  const buffer = Buffer.allocUnsafeSlow(4096)
  let closed = false
  let poll: FdPoll | undefined
  const close = () => {
    if (closed) return
    closed = true
    poll?.stop()
    closeFd(fd)
  }
  const onReadable = () => {
    for (;;) {
      const count = closed ? 0 : readFd(fd, buffer)
      if (count === -errno.EAGAIN || count === 0) return
      if (count < 0) throw systemError(count, 'read', path)
      for (const event of parseEvents(buffer.subarray(0, count))) {
        if ((event.mask & (inQueueOverflow | inIgnored)) !== 0) handlers.onLost?.()
        else handlers.onFile(event.name)
      }
    }
  }
  try {
    inotifyAddWatch(fd, path, inCloseWrite | inMovedTo | inOnlyDirectory)
    poll = FdPoll.start(fd, { read: true }, onReadable, options)
  } catch (error) {
    close()
    throw error
  }
  return { close }
}

interface InotifyEvent {
  readonly mask: number
  readonly name: string
}

function parseEvents(bytes: Buffer): InotifyEvent[] {
  const events: InotifyEvent[] = []
  for (let offset = 0; offset + headerBytes <= bytes.byteLength; ) {
    const mask = bytes.readUInt32LE(offset + 4)
    const length = bytes.readUInt32LE(offset + 12)
    const padded = bytes.toString('utf8', offset + headerBytes, offset + headerBytes + length)
    events.push({ mask, name: padded.replace(/\0+$/, '') })
    offset += headerBytes + length
  }
  return events
}
