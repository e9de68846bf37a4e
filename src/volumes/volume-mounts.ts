/** Volumes that have to be mounted before they are used (those of plugins, and local ones with options) are mounted
 *  with the first who uses them and unmounted with the last. Who that is stands in the database from before the mount
 *  until after the unmount, so a boot can take back what a killed daemon left.
 *  Local volumes without options are directories: nothing is noted and nothing done for them. */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { opendir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BerthError, conflict, isBerthError, KeyedMutex, type Logger, messageOf } from '../base/index.ts'
import type { VolumeMountTable } from '../store/index.ts'
import { copyAttributes, copyTree } from './copy-tree.ts'
import { removeContent } from './local-driver.ts'
import { needsMount } from './local-options.ts'
import { fillingMark, replacementDirectory, replacementName } from './paths.ts'
import { beginReplacement, commitReplacement, finishReplacement } from './replace-content.ts'
import { localDriverName, type VolumeDrivers } from './volume-drivers.ts'
import type { VolumeRecord } from './volume-record.ts'

export interface VolumeMountsOptions {
  readonly root: string
  readonly logger: Logger
  readonly table: VolumeMountTable
  readonly drivers: VolumeDrivers
  /** Throws `notFound`. */
  readonly record: (name: string) => VolumeRecord
  readonly save: (record: VolumeRecord) => void
}

export interface ContentReplacement {
  /** Also when the volume is not empty. */
  readonly force: boolean
  /** Writes the new content into an empty directory. */
  readonly fill: (directory: string) => Promise<void>
  /** Calls `exchange`, which is quick, while nobody works on the volume. */
  readonly around: (exchange: () => Promise<void>) => Promise<void>
}

export class VolumeMounts {
  readonly #options: VolumeMountsOptions
  readonly #locks = new KeyedMutex()
  readonly #filling = new KeyedMutex()
  readonly #replacing = new Set<string>()

  constructor(options: VolumeMountsOptions) {
    this.#options = options
  }

  /** Makes a volume ready for `holder`; gives its directory on the host. Again for the same holder changes nothing.
   *  Throws `notFound`, and what the driver throws, in Docker's words. */
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
        // What an earlier mount left, of which nothing is known, stays noted.
        if (isNew) table.delete(name, holder)
        if (!isBerthError(cause)) throw cause
        const message = `error while mounting volume '${record.mountpoint}': ${cause.message}`
        // A plugin that is not there is no missing image, container or network.
        throw new BerthError(cause.kind === 'notFound' ? 'internal' : cause.kind, message, { cause })
      }
    })
  }

  /** `holder` uses no volume any more. What a driver refuses is logged and tried again by the next boot. */
  async unmountAll(holder: string): Promise<void> {
    for (const name of this.#options.table.volumesOf(holder)) await this.#unmount(name, holder)
  }

  /** What a boot does: mounts for holders that are not in `living` are taken back, the others are known again. */
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

  /** Fills an empty volume with what the image has at the mount's place; a volume with content stays as it is.
   *  `sourceDirectory` must be safe to read: resolved within the image's root by the caller. The volume is mounted for
   *  `holder`, who unmounts it. */
  async copyUp(sourceDirectory: string, name: string, holder: string): Promise<void> {
    const target = await this.mount(name, holder)
    const plain = isPlain(this.#options.record(name))
    await this.#filling.run(name, async () => {
      // There is a place for the mark beside the content of local volumes only.
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

  /** Puts other content in place of a volume's, all of it or nothing. The volume is mounted for `holder`, who unmounts
   *  it. Throws `conflict` for a volume that is not empty, unless forced, and for one that would forget it at once. */
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

  /** Ends what a crash interrupted in a volume that has just been mounted. */
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

/** A volume that is a directory at its place all the time. */
function isPlain({ driver, options }: VolumeRecord): boolean {
  return driver === localDriverName && !needsMount(options)
}

function driverOf(name: string, record: (name: string) => VolumeRecord): string {
  try {
    return record(name).driver
  } catch {
    // Removed by force while it was mounted: then only the local driver may still have something there.
    return localDriverName
  }
}

/** What is in memory goes with the last who uses it. */
function isVolatile({ driver, options }: VolumeRecord): boolean {
  return driver === localDriverName && (options.type === 'tmpfs' || options.type === 'ramfs')
}

/** A file system of its own may have a place for lost files. */
const notContent: ReadonlySet<string> = new Set([replacementName, 'lost+found'])

/** True when there is nothing in a directory but what `ignored` names. */
async function isEmpty(directory: string, ignored: ReadonlySet<string> = new Set()): Promise<boolean> {
  for await (const { name } of await opendir(directory)) if (!ignored.has(name)) return false
  return true
}
