/** The runtime creates missing mount points in a stage's root. They are not changes by the stage. So the missing ones
 *  are noted before a RUN, and removed from its layer afterwards. */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmdirSync, type Stats, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { closeFd, getXattr, oPath, openInRoot } from '../../sys/index.ts'

const always = ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'] as const

/** The mount points that were missing, and the directories above them. */
export interface MountPoints {
  /** Paths without a leading slash, parents first. */
  readonly missing: readonly string[]
  readonly parents: ReadonlyMap<string, Stats>
}

/** Notes which mount points of a RUN do not exist. */
export function noteMountPoints(rootfs: string, targets: readonly string[]): MountPoints {
  const rootFd = openSync(rootfs, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const missing = new Set<string>()
    const parents = new Map<string, Stats>()
    for (const target of [...always, ...targets]) {
      const parts = target.split('/').filter((part) => part !== '')
      for (let count = 1; count <= parts.length; count += 1) {
        const path = parts.slice(0, count).join('/')
        const stats = missing.has(path) ? undefined : statInRoot(rootFd, path)
        if (stats === undefined) missing.add(path)
        else if (count < parts.length) parents.set(path, stats)
      }
    }
    return { missing: [...missing].sort(), parents }
  } finally {
    closeSync(rootFd)
  }
}

/** Removes mount points that are still empty from a layer's own directory, and parent directories that were copied up
 *  only for them. Call it after the unmount. */
export function removeMountPoints(changes: string, { missing, parents }: MountPoints): void {
  const above = new Set<string>()
  for (const path of [...missing].reverse()) {
    if (!isInside(changes, path) || !removeEmpty(join(changes, path))) continue
    for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) above.add(parent)
  }
  for (const path of [...above].sort().reverse()) {
    const before = parents.get(path)
    if (before !== undefined && isInside(changes, path)) removeCopiedUp(join(changes, path), before)
  }
}

/** Gives false when nothing is there. Keeps what a process has written there. */
function removeEmpty(place: string): boolean {
  const stats = lstatSync(place, { throwIfNoEntry: false })
  if (stats === undefined) return false
  if (stats.isDirectory()) removeIfEmpty(place)
  else if (stats.isFile() && stats.size === 0) unlinkSync(place)
  return true
}

function removeCopiedUp(place: string, before: Stats): void {
  const now = lstatSync(place, { throwIfNoEntry: false })
  if (now?.isDirectory() !== true) return
  const isSame = now.mode === before.mode && now.uid === before.uid && now.gid === before.gid
  if (isSame && getXattr(place, 'trusted.overlay.opaque') === undefined) removeIfEmpty(place)
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash === -1 ? '' : path.slice(0, slash)
}

function removeIfEmpty(place: string): void {
  try {
    rmdirSync(place)
  } catch (error) {
    if (!['ENOTEMPTY', 'ENOENT'].includes(errnoOf(error) ?? '')) throw error
  }
}

/** True when every part of the path is a real directory. A step may have put a symlink there. */
function isInside(changes: string, path: string): boolean {
  const parts = path.split('/')
  for (let count = 1; count < parts.length; count += 1) {
    const stats = lstatSync(join(changes, ...parts.slice(0, count)), { throwIfNoEntry: false })
    if (stats?.isDirectory() !== true) return false
  }
  return true
}

function statInRoot(rootFd: number, path: string): Stats | undefined {
  try {
    const fd = openInRoot(rootFd, path, oPath)
    try {
      return fstatSync(fd)
    } finally {
      closeFd(fd)
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
