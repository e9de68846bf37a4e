/** Backup and restore of volumes: consistent, because the containers that use the volume stand still meanwhile.
 *  Killed midway: containers go on with the next boot, the spool has no name, and a volume has its old content or the
 *  new one. */

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

/** Backup and restore for the verbs of volumes. */
export function volumeArchives(
  context: Uses<'containers' | 'live' | 'locks' | 'volumes' | 'cgroups' | 'events' | 'paths' | 'settings'>,
): VolumeArchives {
  return {
    backup: (name, options) => backupVolume(context, name, options),
    restore: (name, source, options) => restoreVolume(context, name, source, options),
  }
}

/** A volume's content as a tar stream. It must be read or returned, as the volume is held meanwhile.
 *  Containers stand still only until the archive is on this host's disk, however slow its reader is.
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

/** Puts the content of a tar stream in place of a volume's; a volume that is not there is made. All of it or nothing.
 *  Throws `conflict` for a volume that is not empty, unless forced, and `invalidArgument` for what is no archive. */
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
    // A volume that was made for this goes with what failed.
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
