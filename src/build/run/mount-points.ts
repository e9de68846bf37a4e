/** What the runtime makes in a stage's root to mount on is none of the stage's doing: it is noted which places were
 *  missing before a RUN, and what was made there is taken out of its layer afterwards. */
import { closeSync, constants, fstatSync, lstatSync, openSync, rmdirSync, type Stats, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../base/index.ts'
import { closeFd, getXattr, oPath, openInRoot } from '../../sys/index.ts'

const always = ['/proc', '/sys', '/dev', '/etc/hosts', '/etc/hostname', '/etc/resolv.conf'] as const

/** What was missing, and what the directories above looked like. */
export interface MountPoints {
  /** Without leading slash, parents before what is below them. */
  readonly missing: readonly string[]
  readonly parents: ReadonlyMap<string, Stats>
}

/** Notes which of the places that RUN mounts on are not there. */
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

/** Removes what is still empty at these places of a layer's own directory, and the directories above that were only
 *  copied up to have it. Nothing is mounted there any more. */
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

/** False when there is nothing. What a process put there stays. */
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

/** Every directory on the way is one: a step may have put a symlink there. */
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
