/** Looks up volumes: those with a row, and those that only a plugin knows. */
import { BerthError, isBerthError, isKind, messageOf, notFound, zeroTime } from '../base/index.ts'
import type { VolumeTable, VolumeUserTable } from '../store/index.ts'
import { contentDirectory } from './content/paths.ts'
import type { VolumeDriver } from './drivers/volume-driver.ts'
import { localDriverName, type VolumeDrivers } from './drivers/volume-drivers.ts'
import type { VolumeRecord, VolumeSummary } from './record/volume-record.ts'

/** Where volumes are looked up. */
export interface VolumeCatalogOptions {
  readonly root: string
  readonly table: VolumeTable<VolumeRecord>
  readonly users: VolumeUserTable
  readonly drivers: VolumeDrivers
}

/** All volumes, and a warning for each driver that could not be asked. */
export interface VolumeList {
  readonly volumes: readonly VolumeSummary[]
  readonly warnings: readonly string[]
}

/** Finds, describes and lists volumes. */
export class VolumeCatalog {
  readonly #root: string
  readonly #table: VolumeTable<VolumeRecord>
  readonly #users: VolumeUserTable
  readonly #drivers: VolumeDrivers

  constructor({ root, table, users, drivers }: VolumeCatalogOptions) {
    this.#root = root
    this.#table = table
    this.#users = users
    this.#drivers = drivers
  }

  /** The record of a volume. Throws `notFound`. */
  get(name: string): VolumeRecord {
    const record = this.#table.find(name)
    if (record === undefined) throw noSuchVolume(name)
    return record
  }

  /** The record of a volume, with what its driver reports now. Finds also volumes that only a plugin knows. Throws
   *  `notFound`, and `unavailable` for a plugin that can't be reached. */
  async inspect(name: string): Promise<VolumeSummary> {
    const record = this.#table.find(name)
    const driver = await (record === undefined
      ? this.findForeign(name)
      : told(`get ${name}`, () => this.#drivers.get(record.driver, { once: true })))
    const found = await driver?.find(name)
    if (driver === undefined || (found === undefined && driver.name !== localDriverName)) throw noSuchVolume(name)
    const known = record ?? foreignRecord(this.#root, name, driver.name)
    return {
      ...known,
      mountpoint: found?.mountpoint || known.mountpoint,
      created: found?.created ?? known.created,
      status: found?.status,
      users: this.#users.of(name).length,
      scope: await driver.scope(),
    }
  }

  /** All volumes, ordered by name, with the number of containers that use each. */
  async list(): Promise<VolumeList> {
    const users = this.#users.counts()
    const byName = new Map<string, VolumeSummary>()
    for (const record of this.#table.all()) {
      byName.set(record.name, { ...record, users: users.get(record.name) ?? 0, scope: 'local' })
    }
    const { drivers, failures } = await this.#drivers.plugins()
    const warnings = [...failures]
    for (const driver of drivers) {
      try {
        for (const volume of await this.#volumesOf(driver, byName, users)) byName.set(volume.name, volume)
      } catch (error) {
        warnings.push(`volume driver ${driver.name}: ${messageOf(error)}`)
      }
    }
    return { volumes: [...byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1)), warnings }
  }

  /** The plugin that has a volume of that name; `wanted` is asked first. Undefined when no plugin has it. */
  async findForeign(name: string, wanted?: VolumeDriver): Promise<VolumeDriver | undefined> {
    const { drivers } = await this.#drivers.plugins()
    const first = wanted === undefined || wanted.name === localDriverName ? [] : [wanted]
    for (const driver of [...first, ...drivers]) {
      try {
        if ((await driver.find(name)) !== undefined) return driver
      } catch (error) {
        // The plugin ended just now: it has no volumes.
        if (!isKind(error, 'unavailable')) throw error
      }
    }
    return undefined
  }

  async #volumesOf(
    driver: VolumeDriver,
    known: ReadonlyMap<string, VolumeSummary>,
    users: ReadonlyMap<string, number>,
  ): Promise<VolumeSummary[]> {
    const [volumes, scope] = await Promise.all([driver.list(), driver.scope()])
    return volumes
      .map(({ name, mountpoint, created }) => {
        const record = known.get(name) ?? foreignRecord(this.#root, name, driver.name)
        return {
          ...record,
          mountpoint: mountpoint || record.mountpoint,
          created: created ?? record.created,
          users: users.get(name) ?? 0,
          scope,
        }
      })
      .filter((volume) => volume.driver === driver.name)
  }
}

/** A record of a volume that is made now. The mount point of a plugin's volume is not known yet. */
export function newRecord(
  root: string,
  name: string,
  driver: string,
  rest: Partial<Pick<VolumeRecord, 'labels' | 'options' | 'anonymous'>> = {},
): VolumeRecord {
  const created = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const mountpoint = driver === localDriverName ? contentDirectory(root, name) : ''
  return { version: 1, name, driver, mountpoint, created, labels: {}, options: {}, anonymous: false, ...rest }
}

/** A record of a volume that its plugin made for another client. Its creation time is not known. */
function foreignRecord(root: string, name: string, driver: string): VolumeRecord {
  return { ...newRecord(root, name, driver), created: zeroTime }
}

/** Runs `work` and prefixes the message of its error with `what`. The kind of the error stays. */
export async function told<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    if (!isBerthError(cause)) throw cause
    throw new BerthError(cause.kind, `${what}: ${cause.message}`, { cause, details: cause.details })
  }
}

function noSuchVolume(name: string): BerthError {
  return notFound(`get ${name}: no such volume`)
}
