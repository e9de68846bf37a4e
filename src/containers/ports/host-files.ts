/** What the verbs of containers do with the host's mount table, its processes and whole directory trees. */
import { rm } from 'node:fs/promises'
import { isProcessAlive, type Mount, mount, unmount, unmountInBackground } from '../../sys/index.ts'

/** The host's mount table. */
export interface Mounts {
  /** Mounts `value` on `target`, which must exist. */
  mount(value: Mount, target: string): void
  /** Detaches what is mounted last on `target`, busy or not. Nothing mounted there, or no such path, is no error. */
  unmount(target: string): void
  /** The same in the thread pool, because the last unmount of an overlay may take seconds. */
  unmountInBackground(target: string): Promise<void>
}

/** Trees of files that are removed as a whole. */
export interface Trees {
  /** Removes a directory with all that is in it. No error when there is none. */
  remove(path: string): Promise<void>
}

/** Processes of the host. */
export interface Processes {
  /** True while the process runs; false once it has ended, or when there was none. */
  isAlive(pid: number): boolean
}

/** The mount table of the daemon's mount namespace. */
export const hostMounts: Mounts = {
  mount: (value, target) => mount(value, target),
  unmount: (target) => unmount(target, { lazy: true }),
  unmountInBackground: (target) => unmountInBackground(target),
}

/** The host's files. */
export const hostTrees: Trees = {
  // By the thread pool: each file may wait for the disk's journal.
  remove: (path) => rm(path, { recursive: true, force: true }),
}

/** The processes in /proc. */
export const hostProcesses: Processes = {
  isAlive: (pid) => isProcessAlive(pid),
}
