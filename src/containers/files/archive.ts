/** cp: what is at a path of a container, as a tar stream out of it, and a tar stream into it. Running and stopped
 *  containers, with what is mounted inside them. Symlinks lead where they lead inside the container, never out. */

import type { ContainerPathStat } from '../../api/index.ts'
import {
  decompressUpload,
  packDirectory,
  packName,
  TarParser,
  type TreeOwner,
  TreeWriter,
} from '../../archive/index.ts'
import { type AbortOptions, BerthError, conflict, errnoOf, invalidArgument, notFound } from '../../base/index.ts'
import type { ContainerArchive, ExtractOptions } from '../../contract/index.ts'
import { resolveUser } from '../../runtime/index.ts'
import { closeFd } from '../../sys/index.ts'
import { asContainerRoot, mappingsOf } from '../isolation/user-namespaces.ts'
import type { ContainerRecord } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer } from '../record/events.ts'
import { readUserFilesOf } from '../rootfs/rootfs.ts'
import { openFileTree, openWritableTree } from './file-tree.ts'
import { absolutePath, openDirectoryIn, openParentIn, resolveIn, statIn } from './path-in-tree.ts'

/** What a run has there is the kernel's, without an end and not to be read. Docker never shows it; here it is shown to
 *  whoever names it, and left out of the whole. */
const kernelFiles = /^(proc|sys|dev)\/./

/** What is at a path, not following a symlink at its end. Throws `notFound`. */
export async function statContainerPath(
  context: Uses<'containers' | 'locks' | 'snapshots' | 'volumes' | 'mounts' | 'background' | 'paths' | 'remap'>,
  idOrName: string,
  path: string,
): Promise<ContainerPathStat> {
  const record = usable(context, idOrName)
  using files = await openFileTree(context, record)
  return told(idOrName, path, () => statIn(files.fd, absolutePath(path)).value)
}

/** A path with all that is below it: its entries begin with the path's last part. */
export async function readContainerArchive(
  context: ContainerContext,
  idOrName: string,
  path: string,
  { signal }: AbortOptions = {},
): Promise<ContainerArchive> {
  const record = usable(context, idOrName)
  const files = await openFileTree(context, record)
  try {
    const whole = absolutePath(path)
    const stat = told(idOrName, path, () => statIn(files.fd, whole))
    const isTree = stat.isDirectory
    const fd = told(idOrName, path, () => (isTree ? openDirectoryIn(files.fd, whole) : openParentIn(files.fd, whole)))
    const pack = async function* (): AsyncGenerator<Buffer, void, undefined> {
      try {
        const { name } = stat.value
        const mappings = mappingsOf(context, record.hostConfig)
        const prefix = name === '/' ? '/' : `${name}/`
        const isRoot = isTree && resolveIn(files.fd, whole) === '/'
        const exclude = (entry: string): boolean => isRoot && kernelFiles.test(entry.slice(prefix.length))
        const options = { signal, mappings, typeInMode: true }
        // Before the content, as with Docker: the container may be removed while a client reads.
        tell(context, record.id, 'archive-path')
        if (isTree) yield* packDirectory(`/proc/self/fd/${fd}`, { ...options, prefix, exclude })
        else yield* packName(fd, name, name, options)
      } finally {
        closeFd(fd)
        files[Symbol.dispose]()
      }
    }
    return { stat: stat.value, chunks: pack() }
  } catch (error) {
    files[Symbol.dispose]()
    throw error
  }
}

/** Unpacks a tar stream (plain or compressed) into a directory. Throws `notFound` when there is none, `invalidArgument`
 *  when it is no directory or may not be written to. What was unpacked before a failure stays. */
export async function extractToContainer(
  context: ContainerContext,
  idOrName: string,
  path: string,
  source: AsyncIterable<Buffer>,
  options: ExtractOptions,
): Promise<void> {
  const found = usable(context, idOrName)
  const extract = async (record: ContainerRecord): Promise<void> => {
    using files = await openWritableTree(context, record)
    const destination = told(idOrName, path, () => {
      const whole = absolutePath(path)
      if (!isDirectoryIn(files.fd, whole)) throw invalidArgument('extraction point is not a directory')
      return resolveIn(files.fd, whole)
    })
    refuseReadOnly(record, destination)
    using writer = new TreeWriter(files.fd, {
      destination: destination.slice(1),
      owner: ownerOf(record, files.fd, options),
      noOverwriteDirNonDir: options.noOverwriteDirNonDir,
      shownAs: destination,
      mappings: mappingsOf(context, record.hostConfig),
      pauses: true,
    })
    const asRoot = (work: () => void): void => asContainerRoot(context, record.hostConfig, work)
    const parser = new TarParser(writer)
    for await (const chunk of await decompressUpload(source, options)) {
      options.signal?.throwIfAborted()
      asRoot(() => parser.push(chunk))
      await writer.settle(asRoot)
    }
    asRoot(() => {
      parser.end()
      writer.finish()
    })
    await writer.settle(asRoot)
  }
  // A run has a tree of its own; what stands must not be started meanwhile.
  if (found.state.pid !== 0) await extract(found)
  else await context.locks.run(found.id, () => extract(usable(context, found.id)))
  tell(context, found.id, 'extract-to-dir')
}

/** Of what was removed meanwhile nothing more is told. */
function tell(context: Uses<'containers' | 'events'>, id: string, action: string): void {
  const record = context.containers.find(id)
  if (record !== undefined) publishContainer(context.events, record, action)
}

/** Follows a symbolic link at the end. Throws system errors for what leads there. */
function isDirectoryIn(rootFd: number, path: string): boolean {
  const bare = path.replace(/(.)\/+$/, '$1')
  try {
    return statIn(rootFd, `${bare}/`).isDirectory
  } catch (error) {
    if (errnoOf(error) !== 'ENOTDIR') throw error
    statIn(rootFd, bare)
    return false
  }
}

function usable(context: Uses<'containers'>, idOrName: string): ContainerRecord {
  const record = context.containers.get(idOrName)
  const { status } = record.state
  if (status === 'removing' || status === 'dead') {
    throw conflict(`container ${record.id} is marked for removal and cannot be used`)
  }
  return record
}

function ownerOf({ config }: ContainerRecord, rootFd: number, { copyUidGid }: ExtractOptions): TreeOwner {
  if (!copyUidGid || !config.User) return 'archive'
  const { uid, gid } = resolveUser(config.User, readUserFilesOf(rootFd))
  return { uid, gid }
}

/** The kernel would refuse as well; this is what clients know. */
function refuseReadOnly({ mounts, hostConfig }: ContainerRecord, destination: string): void {
  const inside = mounts
    .filter((mount) => destination === mount.destination || destination.startsWith(`${mount.destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0]
  if (inside?.readOnly === true) throw invalidArgument('mounted volume is marked read-only')
  if (inside === undefined && hostConfig.ReadonlyRootfs === true) {
    throw invalidArgument('container rootfs is marked read-only')
  }
}

/** Runs one look into the tree; what is missing or no directory becomes Docker's answer. */
function told<T>(container: string, path: string, look: () => T): T {
  try {
    return look()
  } catch (cause) {
    const code = errnoOf(cause)
    if (code === 'ENOENT') throw notFound(`Could not find the file ${path} in container ${container}`, { cause })
    if (code === 'ENOTDIR') throw new BerthError('invalidArgument', `lstat ${path}: not a directory`, { cause })
    if (code === 'ELOOP')
      throw new BerthError('invalidArgument', `lstat ${path}: too many levels of symbolic links`, { cause })
    throw cause
  }
}
