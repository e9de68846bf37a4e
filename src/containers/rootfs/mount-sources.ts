/** Mount sources without a host path: images, and subpaths of volumes or images. They are mounted for each run, in the
 *  container's bundle, and unmounted with its root directory. The n-th mount of the record is at
 *  `<exec-root>/c/<id>/mounts/<n>`; `<n>.image` is the image below a subpath of it. If the daemon is killed midway, the
 *  cleanup of the root directory also removes these. */
import {
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { errnoOf, invalidArgument } from '../../base/index.ts'
import { makePrivateDirectory, oPath, openInRoot } from '../../sys/index.ts'
import { labelsOf } from '../isolation/selinux.ts'
import { passingGroup, remapOf } from '../isolation/user-namespaces.ts'
import type { ContainerMount, ContainerRecord } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'

/** Mounts the sources of a container. Throws `invalidArgument` for a subpath that does not exist. */
export async function mountSources(
  context: Uses<'snapshots' | 'mounts' | 'paths' | 'labels' | 'remap'>,
  record: ContainerRecord,
): Promise<void> {
  for (const one of record.mounts) {
    if (!isOurs(one)) continue
    const place = sourceOf(context, record, one)
    makePrivateDirectory(placesOf(context, record.id), passingGroup(context))
    if (one.image === undefined) showPart(context, one.source, one.subpath ?? '', place)
    else if (one.subpath === undefined) await mountImage(context, record, one.image.chainId, place)
    else {
      await mountImage(context, record, one.image.chainId, `${place}.image`)
      showPart(context, `${place}.image`, one.subpath, place)
    }
  }
}

/** The path on the host whose content the container sees at the mount's destination. */
export function sourceOf(context: Uses<'paths'>, record: ContainerRecord, one: ContainerMount): string {
  return isOurs(one) ? join(placesOf(context, record.id), String(record.mounts.indexOf(one))) : one.source
}

/** Unmounts all sources of a container. Sources that are still in use stay alive until their users end. No error if
 *  there are none. */
export function unmountSources(context: Uses<'mounts' | 'paths'>, id: string): void {
  const directory = placesOf(context, id)
  for (const name of namesIn(directory)) {
    const place = join(directory, name)
    context.mounts.unmount(place)
    removePlace(place)
  }
  try {
    rmdirSync(directory)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error
  }
}

function isOurs({ image, subpath }: ContainerMount): boolean {
  return image !== undefined || subpath !== undefined
}

function placesOf(context: Uses<'paths'>, id: string): string {
  return join(context.paths.bundle(id), 'mounts')
}

async function mountImage(
  context: Uses<'snapshots' | 'mounts' | 'labels' | 'remap'>,
  record: ContainerRecord,
  chainId: string,
  place: string,
): Promise<void> {
  mkdirSync(place, { mode: 0o755 })
  if (chainId === '') return
  const mapped = remapOf(context, record.hostConfig) !== undefined
  const label = labelsOf(context, record)?.mount
  for (const layer of await context.snapshots.mounts(chainId, { mapped, label })) context.mounts.mount(layer, place)
}

/** The subpath may lead through symlinks that a container made, so it is resolved without leaving the volume. */
function showPart({ mounts }: Uses<'mounts'>, root: string, subpath: string, place: string): void {
  withPart(root, subpath, (part) => {
    if (statSync(part).isDirectory()) mkdirSync(place, { mode: 0o755 })
    else writeFileSync(place, '')
    mounts.mount({ type: 'bind', source: part, options: ['rbind'] }, place)
  })
}

/** Runs `work` with a path that leads to `subpath` below `root`. Throws `invalidArgument` if there is nothing. */
export function withPart<T>(root: string, subpath: string, work: (path: string) => T): T {
  const fd = openPart(root, subpath)
  try {
    // The path of a descriptor leads to the same file even if that is renamed.
    return work(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}

function openPart(root: string, subpath: string): number {
  const rootFd = openSync(root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return openInRoot(rootFd, subpath, oPath)
  } catch (cause) {
    const why = errnoOf(cause) === 'ENOENT' ? 'no such file or directory' : String(errnoOf(cause))
    throw invalidArgument(`cannot access path ${join(root, subpath)}: ${why}`, { cause })
  } finally {
    closeSync(rootFd)
  }
}

function removePlace(place: string): void {
  try {
    unlinkSync(place)
  } catch (error) {
    if (errnoOf(error) !== 'EISDIR' && errnoOf(error) !== 'EPERM') throw error
    rmdirSync(place)
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw error
  }
}
