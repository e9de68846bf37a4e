/** cp: gives the files at a path of a container as a tar stream, and unpacks a tar stream into it. Works for running
 *  and stopped containers, including what is mounted inside them. Symlinks are resolved inside the container and never
 *  lead out of it. */

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

/** The kernel's files of a running container can be endless or unreadable. Docker never shows them. Berth shows them
 *  when the path names them, and omits them from an archive of the whole root. */
const kernelFiles = /^(proc|sys|dev)\/./

/** Describes the file at a path. A symlink at its end is not followed. Throws `notFound`. */
export async function statContainerPath(
  context: Uses<'containers' | 'locks' | 'snapshots' | 'volumes' | 'mounts' | 'background' | 'paths' | 'remap'>,
  idOrName: string,
  path: string,
): Promise<ContainerPathStat> {
  const record = usable(context, idOrName)
  using files = await openFileTree(context, record)
  return told(idOrName, path, () => statIn(files.fd, absolutePath(path)).value)
}

/** Gives a path with everything below it as a tar stream. The names of its entries begin with the last part of the
 *  path. Throws `notFound`. */
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
        // Like Docker, publish before the content is sent: the container may be removed while a client reads.
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

/** Unpacks a tar stream (plain or compressed) into a directory. Throws `notFound` if the directory does not exist,
 *  and `invalidArgument` if it is not a directory or not writable. After a failure, files that are already unpacked
 *  stay. */
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
  // A running container has its own mounts. A stopped one must not be started while files are unpacked, so its lock is
  // held.
  if (found.state.pid !== 0) await extract(found)
  else await context.locks.run(found.id, () => extract(usable(context, found.id)))
  tell(context, found.id, 'extract-to-dir')
}

/** Publishes an event, unless the container was removed in the meantime. */
function tell(context: Uses<'containers' | 'events'>, id: string, action: string): void {
  const record = context.containers.find(id)
  if (record !== undefined) publishContainer(context.events, record, action)
}

/** Follows a symlink at the end of the path. Throws the kernel's error if the path leads nowhere. */
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

/** The kernel would refuse as well, but clients know this error. */
function refuseReadOnly({ mounts, hostConfig }: ContainerRecord, destination: string): void {
  const inside = mounts
    .filter((mount) => destination === mount.destination || destination.startsWith(`${mount.destination}/`))
    .sort((a, b) => b.destination.length - a.destination.length)[0]
  if (inside?.readOnly === true) throw invalidArgument('mounted volume is marked read-only')
  if (inside === undefined && hostConfig.ReadonlyRootfs === true) {
    throw invalidArgument('container rootfs is marked read-only')
  }
}

/** Runs `look`, and converts errors for missing files and non-directories to Docker's. */
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
