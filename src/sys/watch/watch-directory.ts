/** Tells of new files in one directory (conmon's exit files), through inotify. */

import type { PollOptions } from '../native/poll.ts'
import { Inotify, inCloseWrite, inIgnored, inMovedTo, inQueueOverflow } from './inotify.ts'

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
  const inotify = Inotify.open(({ mask, name }) => {
    if ((mask & (inQueueOverflow | inIgnored)) !== 0) handlers.onLost?.()
    else handlers.onFile(name)
  }, options)
  try {
    inotify.add(path, inCloseWrite | inMovedTo)
    return inotify
  } catch (error) {
    inotify.close()
    throw error
  }
}
