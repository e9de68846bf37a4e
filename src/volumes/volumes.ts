/** Volumes of all drivers: their records and the containers that use them.
 *  Invariants: a row of the local driver exists only while its directory does. A removal deletes the row first, which
 *  the database refuses while a container uses the volume; a crash after that leaves a directory without a row, which
 *  the next boot adopts. The row of a plugin's volume exists from before the plugin makes the volume until after the
 *  plugin removed it. */
import {
  Background,
  type BerthError,
  conflict,
  isKind,
  KeyedMutex,
  type Logger,
  messageOf,
  newId,
  notFound,
} from '../base/index.ts'
import type { Plugins } from '../plugins/index.ts'
import { type Database, VolumeMountTable, VolumeTable, VolumeUserTable } from '../store/index.ts'
import { makePrivateDirectory } from '../sys/index.ts'
import { LocalDriver, type VolumeOwner } from './drivers/local-driver.ts'
import { checkLocalOptions, readOptions } from './drivers/local-options.ts'
import type { VolumeDriver } from './drivers/volume-driver.ts'
import { localDriverName, VolumeDrivers } from './drivers/volume-drivers.ts'
import { anonymousLabel, checkVolumeName } from './record/volume-name.ts'
import type { VolumeRecord, VolumeRequest } from './record/volume-record.ts'
import { newRecord, told, VolumeCatalog } from './volume-catalog.ts'
import { VolumeMounts } from './volume-mounts.ts'

/** Where volumes are stored. */
export interface VolumesOptions {
  readonly db: Database
  /** `<data-root>/volumes`. */
  readonly root: string
  readonly plugins: Plugins
  readonly logger: Logger
  /** The owner of new local volumes; default root. */
  readonly owner?: VolumeOwner | undefined
}

/** The volume that `create` made or found. */
export interface CreatedVolume {
  readonly record: VolumeRecord
  readonly isNew: boolean
}

/** Creates and removes volumes. */
export class Volumes {
  /** Mounts and fills volumes. */
  readonly mounts: VolumeMounts
  /** Finds and lists volumes. */
  readonly catalog: VolumeCatalog
  readonly #root: string
  readonly #table: VolumeTable<VolumeRecord>
  readonly #users: VolumeUserTable
  readonly #drivers: VolumeDrivers
  readonly #background: Background
  readonly #logger: Logger
  /** By the name of a volume. */
  readonly #locks = new KeyedMutex()

  private constructor(options: VolumesOptions) {
    const { root, logger } = options
    this.#root = root
    this.#table = new VolumeTable(options.db)
    this.#users = new VolumeUserTable(options.db)
    this.#logger = logger
    this.#background = new Background(logger)
    this.#drivers = new VolumeDrivers(new LocalDriver(root, this.#background, options.owner), options.plugins)
    this.catalog = new VolumeCatalog({ root, table: this.#table, users: this.#users, drivers: this.#drivers })
    this.mounts = new VolumeMounts({
      root,
      logger,
      table: new VolumeMountTable(options.db),
      record: (name) => this.catalog.get(name),
      save: (record) => this.#table.replace(record),
      drivers: this.#drivers,
    })
  }

  /** Opens the volumes below `root`, adopts directories that have no row, and completes interrupted removals. */
  static async open(options: VolumesOptions): Promise<Volumes> {
    makePrivateDirectory(options.root, options.owner?.gid)
    const volumes = new Volumes(options)
    await volumes.#drivers.local.sweep()
    await volumes.#adopt()
    return volumes
  }

  /** Makes a volume. If one of that name exists, it is returned with the options that it has, as in Docker. Throws
   *  `invalidArgument` for a bad name or option, `notFound` for an unknown driver, `conflict` when another driver has a
   *  volume of that name. */
  async create(request: VolumeRequest = {}): Promise<CreatedVolume> {
    const name = request.name === undefined || request.name === '' ? newId() : request.name
    const anonymous = request.anonymous === true || name !== request.name
    return await this.#locks.run(name, async () => {
      const driver = request.driver ? await this.#driverFor(name, request.driver) : undefined
      const known = this.#table.find(name)
      if (known !== undefined) return await this.#reuse(known, driver)
      const labels = anonymous ? { ...request.labels, [anonymousLabel]: '' } : { ...request.labels }
      const record = newRecord(this.#root, name, driver?.name ?? localDriverName, {
        labels,
        options: request.options ?? {},
        anonymous,
      })
      const foreign = anonymous ? undefined : await this.catalog.findForeign(name, driver)
      if (foreign !== undefined) return this.#takeOver({ ...record, driver: foreign.name }, driver)
      await this.#make(record, driver ?? this.#drivers.local)
      return { record, isNew: true }
    })
  }

  /** Makes a volume, or takes an existing one, for a container that uses it from now on. The use is recorded first, so
   *  after a crash in between the cleanup of the container finds the volume. Throws as `create` does; the caller must
   *  then call `release` for the container. */
  async createFor(containerId: string, request: VolumeRequest & { readonly name: string }): Promise<CreatedVolume> {
    this.#users.add(request.name, containerId)
    return await this.create(request)
  }

  /** Removes a volume and returns its record. With `force`, a missing volume gives undefined, and a volume whose plugin
   *  can't be reached is forgotten. Throws `notFound`, and `conflict` while a container uses the volume. */
  async remove(name: string, options: { readonly force?: boolean } = {}): Promise<VolumeRecord | undefined> {
    const { force = false } = options
    return await this.#locks.run(name, async () => {
      const record = this.#table.find(name) ?? (await this.#foreign(name))
      if (record === undefined) {
        if (force) return undefined
        throw notFound(`get ${name}: no such volume`)
      }
      if (record.driver !== localDriverName) await this.#removeAtPlugin(record, force)
      else if (this.#table.deleteUnused(name)) await this.#drivers.local.remove(name)
      else throw this.#inUse(name)
      return record
    })
  }

  /** Ends the use of all volumes by a container. With `removeAnonymous`, also removes its anonymous volumes that no
   *  other container uses. Returns the removed volumes. */
  async release(
    containerId: string,
    options: { readonly removeAnonymous?: boolean } = {},
  ): Promise<readonly VolumeRecord[]> {
    const removed: VolumeRecord[] = []
    for (const name of this.#users.release(containerId)) {
      if (options.removeAnonymous !== true || this.#table.find(name)?.anonymous !== true) continue
      try {
        const record = await this.remove(name, { force: true })
        if (record !== undefined) removed.push(record)
      } catch (error) {
        // A volume that its plugin refuses to remove stays as an unused one.
        if (!isKind(error, 'conflict')) {
          this.#logger.warn('volume could not be removed', { volume: name, error: messageOf(error) })
        }
      }
    }
    return removed
  }

  /** Ends the use by containers that are not in `containers`. Called at boot, for what a crash left. */
  async restore(containers: ReadonlySet<string>): Promise<void> {
    for (const containerId of this.#users.holders()) {
      if (!containers.has(containerId)) await this.release(containerId)
    }
  }

  /** Ids of the containers that use a volume. */
  users(name: string): readonly string[] {
    return this.#users.of(name)
  }

  /** Waits until removed volumes are deleted. */
  async close(): Promise<void> {
    await this.#background.drain()
  }

  async #foreign(name: string): Promise<VolumeRecord | undefined> {
    const driver = await this.catalog.findForeign(name)
    return driver && newRecord(this.#root, name, driver.name)
  }

  async #driverFor(name: string, driver: string): Promise<VolumeDriver> {
    return await told(`create ${name}`, () => this.#drivers.get(driver))
  }

  #takeOver(record: VolumeRecord, wanted: VolumeDriver | undefined): CreatedVolume {
    if (wanted !== undefined && wanted.name !== record.driver) throw nameTaken(record.name, record.driver)
    const known = { ...record, mountpoint: '', labels: {}, options: {} }
    this.#table.insert(known)
    return { record: known, isNew: false }
  }

  async #make(record: VolumeRecord, driver: VolumeDriver): Promise<void> {
    const { name, options } = record
    if (driver.name === localDriverName) {
      checkVolumeName(name)
      checkLocalOptions(name, options, this.#root)
      await driver.create(name, options)
      this.#table.insert(record)
      return
    }
    this.#table.insert(record)
    try {
      await told(`create ${name}`, () => driver.create(name, options))
    } catch (error) {
      this.#table.delete(name)
      throw error
    }
  }

  async #reuse(known: VolumeRecord, driver: VolumeDriver | undefined): Promise<CreatedVolume> {
    const { name } = known
    if (driver !== undefined && driver.name !== known.driver) throw nameTaken(name, known.driver)
    // The plugin lost the volume: make it once more.
    if (driver !== undefined && driver.name !== localDriverName && (await driver.find(name)) === undefined) {
      await told(`create ${name}`, () => driver.create(name, known.options))
    }
    return { record: known, isNew: false }
  }

  async #removeAtPlugin({ name, driver: driverName }: VolumeRecord, force: boolean): Promise<void> {
    if (this.#users.of(name).length > 0) throw this.#inUse(name)
    try {
      const driver = await this.#drivers.get(driverName, { once: force })
      if ((await driver.find(name)) !== undefined) await driver.remove(name)
    } catch (cause) {
      const gone = isKind(cause, 'notFound') || isKind(cause, 'unavailable')
      if (!force || !gone) await told(`remove ${name}`, () => Promise.reject(cause))
    }
    this.#table.delete(name)
  }

  #inUse(name: string): BerthError {
    return conflict(`remove ${name}: volume is in use - [${this.#users.of(name).join(', ')}]`)
  }

  async #adopt(): Promise<void> {
    const known = new Set(this.#table.all().map((record) => record.name))
    const { local } = this.#drivers
    for (const { name } of await local.list()) {
      if (known.has(name)) continue
      this.#logger.info('volume directory adopted', { name })
      const options = readOptions(this.#root, name)
      this.#table.insert(
        newRecord(this.#root, name, localDriverName, { labels: {}, options, anonymous: /^[0-9a-f]{64}$/.test(name) }),
      )
    }
  }
}

function nameTaken(name: string, driver: string): BerthError {
  return conflict(`create ${name}: driver '${driver}' already has volume '${name}': volume name must be unique`)
}
