/** A container's files, with everything that is mounted inside it, as one tree that only a descriptor holds. The tree
 *  of a running container is opened through its first process. For a stopped one, root and volumes are mounted for a
 *  moment, cloned as a mount tree without a path in the file system, and unmounted again. */
import { closeSync, constants, existsSync, fstatSync, mkdirSync, openSync, statSync } from 'node:fs'
import { posix } from 'node:path'
import { errnoOf, newId } from '../../base/index.ts'
import {
  attachMountTree,
  cloneMountTree,
  type Mount,
  mount,
  oPath,
  openFd,
  openInRoot,
  setPropagation,
} from '../../sys/index.ts'
import { asContainerRoot, remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerRecord, snapshotKey } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { isUp } from '../record/state.ts'
import { withPart } from '../rootfs/mount-sources.ts'
import { ensureDirectory } from '../rootfs/rootfs.ts'
import { clearView, type View, viewOf } from '../rootfs/view.ts'
import { mountVolumes } from '../rootfs/volume-mounts.ts'

const oDirectory = oPath | constants.O_DIRECTORY

/** Opens the tree for reading. The container may start and end meanwhile. */
export async function openFileTree(
  context: Uses<'containers' | 'locks' | 'snapshots' | 'volumes' | 'mounts' | 'background' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  if (isUp(record.state.status)) return treeOfRunning(context, record)
  return await withVolumes(context, record, (mounted) => openStanding(context, mounted))
}

/** Opens the tree for changes. The caller holds the container's lock until it disposes the tree. */
export async function openWritableTree(
  context: Uses<'snapshots' | 'volumes' | 'mounts' | 'background' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  if (isUp(record.state.status)) return treeOfRunning(context, record)
  return await withVolumes(context, record, (mounted) => openStopped(context, mounted))
}

/** Keeps the container's volumes mounted as long as the tree is open. */
async function withVolumes(
  context: Uses<'volumes' | 'background'>,
  record: ContainerRecord,
  open: (record: ContainerRecord) => Promise<View>,
): Promise<View> {
  if (!record.mounts.some(({ type }) => type === 'volume')) return await open(record)
  const holder = `view-${newId()}`
  try {
    const view = await open(await mountVolumes(context, record, holder))
    return {
      ...view,
      [Symbol.dispose]() {
        view[Symbol.dispose]()
        context.background.run('unmount volumes', () => context.volumes.unmountAll(holder))
      },
    }
  } catch (error) {
    await context.volumes.unmountAll(holder)
    throw error
  }
}

async function openStanding(
  context: Uses<'containers' | 'locks' | 'snapshots' | 'mounts' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  const { id } = record
  const mapped = remapOf(context, record.hostConfig) !== undefined
  const readOnly = await context.snapshots.mounts(snapshotKey(id), { readOnly: true, mapped })
  const { view, missing } = assemble(context, record, readOnly, false)
  if (missing === 0) return view
  view[Symbol.dispose]()
  // These destinations do not exist yet, because the container never started. A start would make them, so make them
  // now.
  await context.locks.run(id, async () => {
    const now = context.containers.get(id)
    if (!isUp(now.state.status)) (await openStopped(context, record))[Symbol.dispose]()
  })
  return assemble(context, record, await context.snapshots.mounts(snapshotKey(id), { readOnly: true, mapped }), false)
    .view
}

async function openStopped(
  context: Uses<'snapshots' | 'mounts' | 'paths' | 'remap'>,
  record: ContainerRecord,
): Promise<View> {
  const mapped = remapOf(context, record.hostConfig) !== undefined
  const key = snapshotKey(record.id)
  const layers = await context.snapshots.mounts(key, { mapped })
  return context.snapshots.withRoom(key, () => assemble(context, record, layers, true)).view
}

function treeOfRunning(context: Uses<'mounts' | 'paths' | 'remap'>, record: ContainerRecord): View {
  const rootfs = context.paths.rootfs(record.id)
  const view = openRootOf(record.state.pid)
  if (view !== undefined) {
    // The process may have ended, its pid may be reused, or it may have changed its root directory.
    const [own, known] = [fstatSync(view.fd), statSync(rootfs)]
    if (own.dev === known.dev && own.ino === known.ino) return view
    view[Symbol.dispose]()
  }
  return assemble(context, record, [{ type: 'bind', source: rootfs, options: ['bind'] }], true).view
}

function openRootOf(pid: number): View | undefined {
  try {
    return viewOf(openFd(`/proc/${pid}/root`, oDirectory))
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

interface Assembled {
  readonly view: View
  /** Number of volumes whose destination does not exist yet. */
  readonly missing: number
}

/** Runs `work` so that the files it makes belong to the container. */
type AsOwner = <T>(work: () => T) => T

/** Synchronous, so that nothing else uses the mount point meanwhile; after a crash the next boot clears it. */
function assemble(
  context: Uses<'mounts' | 'paths' | 'remap'>,
  record: ContainerRecord,
  layers: readonly Mount[],
  writable: boolean,
): Assembled {
  const place = context.paths.view
  clearView(context)
  mkdirSync(place, { mode: 0o700 })
  try {
    for (const layer of layers) mount(layer, place)
    setPropagation(place, 'private')
    const asOwner: AsOwner = (work) => asContainerRoot(context, record.hostConfig, work)
    const missing = bindsOf(context, record).filter((bind) => !bindInside(place, bind, writable, asOwner)).length
    return { view: viewOf(cloneMountTree(place)), missing }
  } finally {
    clearView(context)
  }
}

interface Bind {
  readonly source: string
  /** Only this part of the source. */
  readonly subpath?: string | undefined
  readonly destination: string
  readonly readOnly: boolean
  readonly recursive: boolean
  /** If the destination does not exist, leave the bind out instead of making one. */
  readonly optional: boolean
}

function bindsOf(context: Uses<'paths'>, { id, mounts }: ContainerRecord): Bind[] {
  const taken = new Set(mounts.map(({ destination }) => destination))
  const files = [
    { source: context.paths.resolvConf(id), destination: '/etc/resolv.conf' },
    { source: context.paths.hostname(id), destination: '/etc/hostname' },
    { source: context.paths.hosts(id), destination: '/etc/hosts' },
  ].filter(({ destination }) => !taken.has(destination))
  return [
    ...files.map((file) => ({ ...file, readOnly: false, recursive: false, optional: true })),
    ...mounts.map(({ source, destination, readOnly, nonRecursive, subpath }) => {
      return { source, subpath, destination, readOnly, recursive: nonRecursive !== true, optional: false }
    }),
  ].filter(({ source }) => source !== '' && existsSync(source))
}

/** The container decides what is at the destination, so it is resolved inside the container's root. Gives false if
 *  there is no destination. */
function bindInside(place: string, bind: Bind, writable: boolean, asOwner: AsOwner): boolean {
  const { source, subpath } = bind
  if (subpath === undefined) return bindWhole(place, bind, writable, asOwner)
  return withPart(source, subpath, (part) => bindWhole(place, { ...bind, source: part }, writable, asOwner))
}

function bindWhole(place: string, bind: Bind, writable: boolean, asOwner: AsOwner): boolean {
  const root = openSync(place, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const target =
      openPlace(root, bind.destination) ??
      (writable && !bind.optional ? asOwner(() => makePlace(place, root, bind)) : undefined)
    if (target === undefined) return bind.optional
    const tree = cloneMountTree(bind.source, bind)
    try {
      attachMountTree(tree, target)
    } catch (error) {
      // The source is a file and the destination a directory, or the reverse: the container could not start either.
      if (errnoOf(error) !== 'EINVAL') throw error
    } finally {
      closeSync(tree)
      closeSync(target)
    }
    return true
  } finally {
    closeSync(root)
  }
}

function openPlace(root: number, destination: string): number | undefined {
  try {
    return openInRoot(root, destination, oPath)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}

function makePlace(place: string, root: number, { source, destination }: Bind): number | undefined {
  if (statSync(source).isDirectory()) ensureDirectory(place, destination)
  else {
    ensureDirectory(place, posix.dirname(destination))
    closeSync(openInRoot(root, destination, constants.O_WRONLY | constants.O_CREAT, 0o644))
  }
  return openPlace(root, destination)
}
