/** A container's root directory: mounted over the image's layers, and looked into without following a
 *  link of the image's out of it. */
import { closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, rmdirSync } from 'node:fs'
import { errnoOf } from '../base/index.ts'
import type { UserFiles } from '../runtime/index.ts'
import { mkdirAt, mount, openInRoot, unmountInBackground } from '../sys/index.ts'
import { type ContainerRecord, snapshotKey } from './container-record.ts'
import type { ContainerContext } from './dependencies.ts'
import { unmountSources } from './mount-sources.ts'
import { unmountSharedMemory } from './shared-memory.ts'

const oPath = 0o10000000

/** Mounts the writable layer over the image's; gives the mount point. What was mounted there before is replaced. */
export async function mountRootfs(context: ContainerContext, { id, hostConfig }: ContainerRecord): Promise<string> {
  const target = context.paths.rootfs(id)
  const layers = await context.snapshots.mounts(snapshotKey(id), { volatile: hostConfig.AutoRemove === true })
  mkdirSync(target, { recursive: true, mode: 0o700 })
  for (const layer of layers) mount(layer, target)
  return target
}

/** Takes the root directory away, with its mount point, and what was mounted for it. Not mounted: no error. A busy one
 *  is detached: what still uses it keeps it for its own time. */
export async function unmountRootfs(context: ContainerContext, id: string): Promise<void> {
  unmountSharedMemory(context, id)
  unmountSources(context, id)
  const target = context.paths.rootfs(id)
  if (existsSync(target)) {
    await unmountInBackground(target)
    rmdirSync(target)
  }
  await context.volumes.unmountAll(id)
}

/** Runs `work` with a descriptor of the root directory. */
export function withRoot<T>(rootfs: string, work: (rootFd: number) => T): T {
  const rootFd = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return work(rootFd)
  } finally {
    closeSync(rootFd)
  }
}

/** The image's own user database; absent files are undefined. */
export function readUserFiles(rootfs: string): UserFiles {
  return withRoot(rootfs, readUserFilesOf)
}

/** The same of a root directory that is open. */
export function readUserFilesOf(rootFd: number): UserFiles {
  return { passwd: readInRoot(rootFd, '/etc/passwd'), group: readInRoot(rootFd, '/etc/group') }
}

function readInRoot(rootFd: number, path: string): string | undefined {
  let fd: number
  try {
    fd = openInRoot(rootFd, path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
  try {
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}

/** Makes the working directory, owned by root, when the image has none, as Docker does. */
export function ensureDirectory(rootfs: string, path: string): void {
  if (path === '' || path === '/') return
  withRoot(rootfs, (rootFd) => {
    if (exists(rootFd, path)) return
    let parent = '/'
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      const child = `${parent}${name}`
      if (name === '..' || !exists(rootFd, child)) makeChild(rootFd, parent, name)
      parent = `${child}/`
    }
  })
}

function makeChild(rootFd: number, parent: string, name: string): void {
  const fd = openInRoot(rootFd, parent, oPath | constants.O_DIRECTORY)
  try {
    mkdirAt(fd, name, 0o755)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  } finally {
    closeSync(fd)
  }
}

function exists(rootFd: number, path: string): boolean {
  try {
    closeSync(openInRoot(rootFd, path, oPath))
    return true
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false
    throw error
  }
}
