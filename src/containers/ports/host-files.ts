/** What the verbs of containers do with the host's mount table, processes and directory trees. */
import { rm } from 'node:fs/promises'
import { isProcessAlive, type Mount, mount, unmount, unmountInBackground } from '../../sys/index.ts'

/** The host's mount table. */
export interface Mounts {
  /** Mounts `value` on `target`, which must exist. */
  mount(value: Mount, target: string): void
  /** Detaches the topmost mount on `target`, even if it is busy. No error if nothing is mounted there or the path does
   *  not exist. */
  unmount(target: string): void
  /** Like `unmount`, but in the thread pool, because the last unmount of an overlay may take seconds. */
  unmountInBackground(target: string): Promise<void>
}

/** Directory trees that are removed as a whole. */
export interface Trees {
  /** Removes a directory with everything in it. No error if it does not exist. */
  remove(path: string): Promise<void>
}

/** Processes of the host. */
export interface Processes {
  /** True while the process runs; false if it has ended or never existed. */
  isAlive(pid: number): boolean
}

/** The mount table of the daemon's own mount namespace (mount_namespaces(7)). */
export const hostMounts: Mounts = {
  mount: (value, target) => mount(value, target),
  unmount: (target) => unmount(target, { lazy: true }),
  unmountInBackground: (target) => unmountInBackground(target),
}

/** The host's directory trees. */
export const hostTrees: Trees = {
  // In the thread pool: each deletion may wait for the file system's journal.
  remove: (path) => rm(path, { recursive: true, force: true }),
}

/** The host's processes, as /proc shows them (proc(5)). */
export const hostProcesses: Processes = {
  isAlive: (pid) => isProcessAlive(pid),
}
