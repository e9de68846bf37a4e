/** Backup and restore of volumes. With `pause` both are consistent, because the containers that use the volume are
 *  frozen meanwhile. If the daemon is killed midway, the next boot thaws the containers, the spool file disappears
 *  because it has no name, and the volume has either its old or its new content. */

import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { compressStream } from '../../archive/index.ts'
import { newId } from '../../base/index.ts'
import type { BackupOptions, RestoreOptions } from '../../contract/index.ts'
import { packVolume, unpackVolume, type VolumeArchives } from '../../volumes/index.ts'
import type { Uses } from '../record/dependencies.ts'
import { holdAllStill } from '../run/hold-still.ts'

const chunkBytes = 256 * 1024

/** Gives the backup and restore of volumes, for the verbs of volumes. With the option `pause`, containers that use the
 *  volume are frozen meanwhile. Throws `notFound`, `conflict` and `invalidArgument` (see the two functions below). */
export function volumeArchives(
  context: Uses<'containers' | 'live' | 'locks' | 'volumes' | 'cgroups' | 'events' | 'paths' | 'settings'>,
): VolumeArchives {
  return {
    backup: (name, options) => backupVolume(context, name, options),
    restore: (name, source, options) => restoreVolume(context, name, source, options),
  }
}

/** A volume's content as a tar stream. The caller must read or return the stream, because the volume can't be removed
 *  until then. Containers are frozen only until the archive is on the host's disk, so a slow reader does not matter.
 *  Throws `notFound`. */
async function backupVolume(
  context: Uses<'containers' | 'live' | 'locks' | 'volumes' | 'cgroups' | 'events' | 'paths' | 'settings'>,
  name: string,
  { pause, compression, signal }: BackupOptions,
): Promise<AsyncIterable<Buffer>> {
  const holder = `backup-${newId()}`
  const { containers } = await context.volumes.hold(name, holder, { create: false })
  const letGo = (): Promise<void> => context.volumes.letGo(holder)
  try {
    const directory = await context.volumes.mount(name, holder)
    const packed = (): AsyncIterable<Buffer> => compressStream(packVolume(directory, { signal }), compression)
    if (!pause || containers.length === 0) return thenDo(packed(), letGo)
    const file = await holdAllStill(context, containers, () => spool(context.paths.root, packed()))
    return thenDo(readBack(file), letGo)
  } catch (error) {
    await letGo()
    throw error
  }
}

/** Replaces a volume's content by that of a tar stream, all or nothing. A missing volume is created. Throws `conflict`
 *  for a volume that is not empty, unless forced, and `invalidArgument` for data that is not an archive. */
async function restoreVolume(
  context: Uses<'containers' | 'live' | 'locks' | 'volumes' | 'cgroups' | 'events' | 'settings'>,
  name: string,
  source: AsyncIterable<Buffer>,
  { pause, force, signal }: RestoreOptions,
): Promise<void> {
  const holder = `restore-${newId()}`
  let unfinished: string | undefined
  try {
    const { containers, isNew } = await context.volumes.hold(name, holder, { create: true })
    if (isNew) unfinished = name
    await context.volumes.replace(name, holder, {
      force,
      fill: (directory) => unpackVolume(source, directory, { signal }),
      around: (exchange) => holdAllStill(context, pause ? containers : [], exchange),
    })
    unfinished = undefined
  } finally {
    // A volume that was created for a failed restore is removed.
    await context.volumes.letGo(holder, { remove: unfinished })
  }
}

/** Writes a stream to a file without a name. */
async function spool(directory: string, chunks: AsyncIterable<Buffer>): Promise<FileHandle> {
  const path = join(directory, `.spool-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  try {
    await unlink(path)
    for await (const chunk of chunks) await file.appendFile(chunk)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

async function* readBack(file: FileHandle): AsyncGenerator<Buffer, void, undefined> {
  try {
    for (let at = 0; ; ) {
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes, at)
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* thenDo(
  chunks: AsyncIterable<Buffer>,
  end: () => Promise<void>,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* chunks
  } finally {
    await end()
  }
}
