/** Mounts the volumes that need it (those of plugins, and local ones with options) with their first holder, and
 *  unmounts them with the last one. The database has the holders from before the mount until after the unmount, so a
 *  boot can undo what a killed daemon left.
 *  Local volumes without options are plain directories: nothing is mounted or recorded for them. */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BerthError, conflict, isBerthError, KeyedMutex, type Logger, messageOf } from '../base/index.ts'
import type { VolumeMountTable } from '../store/index.ts'
import { copyAttributes, copyTree } from './content/copy-tree.ts'
import { fillingMark, replacementDirectory, replacementName } from './content/paths.ts'
import { beginReplacement, commitReplacement, finishReplacement } from './content/replace-content.ts'
import { removeContent } from './drivers/local-driver.ts'
import { needsMount } from './drivers/local-options.ts'
import { localDriverName, type VolumeDrivers } from './drivers/volume-drivers.ts'
import type { VolumeRecord } from './record/volume-record.ts'

/** What mounting needs. */
export interface VolumeMountsOptions {
  readonly root: string
  readonly logger: Logger
  readonly table: VolumeMountTable
  readonly drivers: VolumeDrivers
  /** The record of a volume. Throws `notFound`. */
  readonly record: (name: string) => VolumeRecord
  readonly save: (record: VolumeRecord) => void
}

/** How to replace the content of a volume. */
export interface ContentReplacement {
  /** Replace content even if the volume is not empty. */
  readonly force: boolean
  /** Writes the new content into an empty directory. */
  readonly fill: (directory: string) => Promise<void>
  /** Calls `exchange`, which is quick, while no container works on the volume. */
  readonly around: (exchange: () => Promise<void>) => Promise<void>
}

/** Mounts, fills and unmounts volumes. */
export class VolumeMounts {
  readonly #options: VolumeMountsOptions
  readonly #locks = new KeyedMutex()
  readonly #filling = new KeyedMutex()
  readonly #replacing = new Set<string>()

  constructor(options: VolumeMountsOptions) {
    this.#options = options
  }

  /** Makes a volume usable for `holder` and returns its directory on the host. Repeating it changes nothing. Throws
   *  `notFound`, and the errors of the driver, with Docker's texts. */
  async mount(name: string, holder: string): Promise<string> {
    const record = this.#options.record(name)
    if (isPlain(record)) return record.mountpoint
    return await this.#locks.run(name, async () => {
      const { table, drivers, save } = this.#options
      const isNew = table.add(name, holder)
      try {
        const mountpoint = await (await drivers.get(record.driver)).mount(name, holder)
        if (mountpoint !== record.mountpoint) save({ ...record, mountpoint })
        await this.#endReplacement(name, mountpoint)
        return mountpoint
      } catch (cause) {
        // If an earlier call left this row, it stays: the volume may still be mounted.
        if (isNew) table.delete(name, holder)
        if (!isBerthError(cause)) throw cause
        const message = `error while mounting volume '${record.mountpoint}': ${cause.message}`
        // A missing plugin must not look like a missing image, container or network.
        throw new BerthError(cause.kind === 'notFound' ? 'internal' : cause.kind, message, { cause })
      }
    })
  }

  /** Ends the use of all volumes by `holder`. A failure of a driver is logged; the next boot tries again. */
  async unmountAll(holder: string): Promise<void> {
    for (const name of this.#options.table.volumesOf(holder)) await this.#unmount(name, holder)
  }

  /** Called at boot: unmounts for holders that are not in `living`, and takes over the mounts of the others. */
  async restore(living: ReadonlySet<string>): Promise<void> {
    const { table, drivers } = this.#options
    const rows = table.all()
    const holders = new Map<string, Set<string>>()
    for (const { volume, holder } of rows) {
      if (living.has(holder)) holders.set(volume, (holders.get(volume) ?? new Set()).add(holder))
    }
    await drivers.local.restore(holders, (volume, error) => {
      this.#options.logger.warn('volume could not be mounted again', { volume, error: messageOf(error) })
    })
    for (const { volume, holder } of rows) if (!living.has(holder)) await this.#unmount(volume, holder, true)
  }

  /** Fills an empty volume with the image's files at its mount point; a volume with content stays as it is. The caller
   *  must have resolved `sourceDirectory` inside the image's root. The volume is then mounted for `holder`, which the
   *  caller unmounts. */
  async copyUp(sourceDirectory: string, name: string, holder: string): Promise<void> {
    const target = await this.mount(name, holder)
    const plain = isPlain(this.#options.record(name))
    await this.#filling.run(name, async () => {
      // Only local volumes have a place for the mark beside their content.
      const mark = plain ? fillingMark(this.#options.root, name) : undefined
      const interrupted = mark !== undefined && existsSync(mark)
      if (!interrupted && !(await isEmpty(target))) return
      if (mark !== undefined) writeFileSync(mark, '', { mode: 0o600 })
      const { local } = this.#options.drivers
      const empty = () => (plain ? local.empty(name) : removeContent(target))
      if (interrupted) await empty()
      try {
        await copyTree(sourceDirectory, target)
      } catch (error) {
        await empty()
        throw error
      } finally {
        if (mark !== undefined) rmSync(mark, { force: true })
      }
    })
  }

  /** Replaces the content of a volume, all of it or nothing. The volume is then mounted for `holder`, which the caller
   *  unmounts. Throws `conflict` for a volume that is not empty, unless `force` is set, and for a volume that would
   *  lose the content with its unmount. */
  async replace(name: string, holder: string, { force, fill, around }: ContentReplacement): Promise<void> {
    const content = await this.mount(name, holder)
    const record = this.#options.record(name)
    await this.#filling.run(name, async () => {
      if (isVolatile(record) && !this.#isUsedByOthers(name, holder)) {
        throw conflict(`volume ${name} is a ${record.options.type}, which keeps nothing while no container uses it`)
      }
      if (!force && !(await isEmpty(content, notContent))) throw conflict(`volume ${name} is not empty`)
      const work = isPlain(record) ? replacementDirectory(this.#options.root, name) : join(content, replacementName)
      this.#replacing.add(name)
      try {
        const place = await beginReplacement(work)
        copyAttributes(content, place, statSync(content, { bigint: true }))
        await fill(place)
        await around(() => commitReplacement(content, work))
      } finally {
        this.#replacing.delete(name)
        await rm(work, { recursive: true, force: true })
      }
    })
  }

  /** Completes a replacement that a crash interrupted, in a volume that has just been mounted. */
  async #endReplacement(name: string, content: string): Promise<void> {
    const work = join(content, replacementName)
    if (this.#replacing.has(name) || !existsSync(work)) return
    await finishReplacement(content, work)
    await rm(work, { recursive: true, force: true })
  }

  #isUsedByOthers(name: string, holder: string): boolean {
    return this.#options.table.all().some((row) => row.volume === name && row.holder !== holder)
  }

  async #unmount(name: string, holder: string, once = false): Promise<void> {
    const { table, drivers, record, logger } = this.#options
    await this.#locks.run(name, async () => {
      try {
        await (await drivers.get(driverOf(name, record), { once })).unmount(name, holder)
        table.delete(name, holder)
      } catch (error) {
        logger.warn('volume could not be unmounted', { volume: name, holder, error: messageOf(error) })
      }
    })
  }
}

/** True for a volume that is a plain directory, which needs no mount. */
function isPlain({ driver, options }: VolumeRecord): boolean {
  return driver === localDriverName && !needsMount(options)
}

function driverOf(name: string, record: (name: string) => VolumeRecord): string {
  try {
    return record(name).driver
  } catch {
    // The volume was removed by force while it was mounted: only the local driver may still have a mount.
    return localDriverName
  }
}

/** True for a volume in memory (tmpfs), which loses its content with the last unmount. */
function isVolatile({ driver, options }: VolumeRecord): boolean {
  return driver === localDriverName && (options.type === 'tmpfs' || options.type === 'ramfs')
}

/** Names that are not content: a mounted file system may have a directory for lost files. */
const notContent: ReadonlySet<string> = new Set([replacementName, 'lost+found'])

/** True when a directory is empty, except for the names in `ignored`. */
async function isEmpty(directory: string, ignored: ReadonlySet<string> = new Set()): Promise<boolean> {
  for await (const { name } of await opendir(directory)) if (!ignored.has(name)) return false
  return true
}
