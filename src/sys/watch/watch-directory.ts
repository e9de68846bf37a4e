/** Reports new files in one directory, such as conmon's exit files, through inotify. */
import type { PollOptions } from '../native/poll.ts'
import { Inotify, inCloseWrite, inIgnored, inMovedTo, inQueueOverflow } from './inotify.ts'

/** A watch that `watchDirectory` started. */
export interface DirectoryWatch {
  /** Ends the watch. Idempotent. */
  close(): void
}

/** What `watchDirectory` calls. */
export interface WatchHandlers {
  /** A file is complete: its writer closed it, or it was moved here. */
  onFile(name: string): void
  /** Events were lost, or the directory is gone. The receiver must list the directory. */
  onLost?(): void
}

/** Watches a directory that exists. List the directory after this call, not before, so that no file is missed. Throws
 *  ENOENT, and EMFILE or ENOSPC at the limits of inotify. */
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
