/** A container's root directory: mounts the writable layer over the image's layers, and reads files in it without
 *  following the image's symlinks out of it. */
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

/** The path where programs look up what is mounted, and the target of this symlink. */
export const mountTable = { path: 'etc/mtab', target: '/proc/mounts' } as const

/** Mounts the writable layer over the image's layers, and gives the mount point. An earlier mount there is replaced. */
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

/** Makes the mount point of the root directory, in the container's bundle. The OCI runtime passes through the bundle as
 *  the container's root user. */
export function makeRootfsPlace(context: Uses<'paths' | 'remap'>, id: string): void {
  makePrivateDirectory(context.paths.bundle(id), passingGroup(context))
  mkdirSync(context.paths.rootfs(id), { recursive: true, mode: 0o700 })
}

/** Unmounts the root directory and all mounts that were made for it, and removes the mount point. A busy mount is
 *  detached and lasts until its users end. No error if nothing is mounted. */
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

/** The numeric ids of `user` and the `--group-add` groups in a root directory. Numeric users don't need the user files,
 *  so it does not matter if these can't be read. Throws `invalidArgument` for unknown names. */
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

/** Reads the user files of an open root directory. A missing file is undefined. */
export function readUserFilesOf(rootFd: number): UserFiles {
  return { passwd: readInRoot(rootFd, '/etc/passwd'), group: readInRoot(rootFd, '/etc/group') }
}

/** At most this much of a user file is read. A hundred thousand users fit, and a hostile image can't exhaust the
 *  memory. */
const maxUserFileBytes = 8 * 1024 * 1024

/** The image's author decides what is at the path. Only a regular file is opened, because opening a device or fifo can
 *  have side effects. */
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

/** Throws `invalidArgument` for a larger file, because a part of it could give a wrong answer. */
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

/** Like Docker, makes the working directory, owned by root, if the image does not have it. */
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

/** Makes `/etc/mtab`, which Docker puts into every container for programs that list mounts. An existing one stays. If
 *  it can't be made (`/etc` is a file, or a symlink out of the root), there is none. */
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
