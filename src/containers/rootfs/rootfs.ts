/** A container's root directory: mounted over the image's layers, and looked into without following a
 *  link of the image's out of it. */
import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, readSync, rmdirSync } from 'node:fs'
import { errnoOf, invalidArgument, isKind } from '../../base/index.ts'
import { type ResolvedUser, resolveUser, type UserFiles } from '../../runtime/index.ts'
import { makePrivateDirectory, mkdirAt, oPath, openInRoot, symlinkAt } from '../../sys/index.ts'
import { labelsOf } from '../isolation/selinux.ts'
import { passingGroup, remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerRecord, snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { unmountSources } from './mount-sources.ts'
import { unmountSharedMemory } from './shared-memory.ts'

/** Where programs look for what is mounted, and what that is a link to. */
export const mountTable = { path: 'etc/mtab', target: '/proc/mounts' } as const

/** Mounts the writable layer over the image's; gives the mount point. What was mounted there before is replaced. */
export async function mountRootfs(
  context: Uses<'snapshots' | 'mounts' | 'paths' | 'labels' | 'remap'>,
  record: ContainerRecord,
): Promise<string> {
  const { id, hostConfig } = record
  const target = context.paths.rootfs(id)
  const mapped = remapOf(context, hostConfig) !== undefined
  const layers = await context.snapshots.mounts(snapshotKey(id), {
    volatile: hostConfig.AutoRemove === true,
    mapped,
    label: labelsOf(context, record)?.mount,
  })
  makeRootfsPlace(context, id)
  context.snapshots.withRoom(snapshotKey(id), () => {
    for (const layer of layers) context.mounts.mount(layer, target)
  })
  return target
}

/** Makes the mount point of the root directory, in the container's bundle. The runtime passes through the bundle as the
 *  container's root user. */
export function makeRootfsPlace(context: Uses<'paths' | 'remap'>, id: string): void {
  makePrivateDirectory(context.paths.bundle(id), passingGroup(context))
  mkdirSync(context.paths.rootfs(id), { recursive: true, mode: 0o700 })
}

/** Takes the root directory away, with its mount point, and what was mounted for it. Not mounted: no error. A busy one
 *  is detached: what still uses it keeps it for its own time. */
export async function unmountRootfs(context: Uses<'volumes' | 'mounts' | 'paths'>, id: string): Promise<void> {
  unmountSharedMemory(context, id)
  unmountSources(context, id)
  const target = context.paths.rootfs(id)
  if (existsSync(target)) {
    await context.mounts.unmountInBackground(target)
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

/** Who `user` and the groups of `--group-add` are in a root directory. Nobody looks for numbers in a file that can't be
 *  read. Throws `invalidArgument` for names that are not there. */
export function resolveIn(rootfs: string, user: string, groups: readonly string[]): ResolvedUser {
  const named = [...user.split(':'), ...groups].some((part) => /\D/.test(part))
  return resolveUser(user, named ? withRoot(rootfs, readUserFilesOf) : filesIfReadable(rootfs), groups)
}

function filesIfReadable(rootfs: string): UserFiles {
  try {
    return withRoot(rootfs, readUserFilesOf)
  } catch (error) {
    if (!isKind(error, 'invalidArgument')) throw error
    return {}
  }
}

/** The user database of a root directory that is open; absent files are undefined. */
export function readUserFilesOf(rootFd: number): UserFiles {
  return { passwd: readInRoot(rootFd, '/etc/passwd'), group: readInRoot(rootFd, '/etc/group') }
}

/** As much of a user database as is looked at. A hundred thousand users fit; a hostile image can't fill the memory. */
const maxUserFileBytes = 8 * 1024 * 1024

/** The image decides what is there: only a regular file is opened, for a device or fifo may do something then. */
function readInRoot(rootFd: number, path: string): string | undefined {
  let place: number
  try {
    place = openInRoot(rootFd, path, oPath)
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
    throw error
  }
  try {
    if (!fstatSync(place).isFile()) return undefined
    return readStart(`/proc/self/fd/${place}`, path)
  } finally {
    closeSync(place)
  }
}

/** Throws `invalidArgument` for a larger file: half of it would be another answer. */
function readStart(file: string, shownAs: string): string {
  const fd = openSync(file, constants.O_RDONLY)
  try {
    if (fstatSync(fd).size > maxUserFileBytes) {
      throw invalidArgument(`${shownAs} of the container is larger than ${maxUserFileBytes} bytes`)
    }
    const buffer = Buffer.alloc(fstatSync(fd).size)
    let length = 0
    while (length < buffer.length) {
      const count = readSync(fd, buffer, length, buffer.length - length, null)
      if (count === 0) break
      length += count
    }
    return buffer.toString('utf8', 0, length)
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

/** Makes `/etc/mtab`, which Docker puts into every container: programs read there what is mounted. One that the image has
 *  stays, and where none can be made (`/etc` is a file, or a link out of the root) there is none. */
export function ensureMountTable(rootfs: string): void {
  withRoot(rootfs, (rootFd) => {
    let etc: number | undefined
    try {
      if (!exists(rootFd, '/etc')) makeChild(rootFd, '/', 'etc')
      etc = openInRoot(rootFd, '/etc', oPath | constants.O_DIRECTORY)
      symlinkAt(mountTable.target, etc, 'mtab')
    } catch (error) {
      if (!['EEXIST', 'ENOTDIR', 'ELOOP', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
    } finally {
      if (etc !== undefined) closeSync(etc)
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
