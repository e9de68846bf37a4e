/** The local driver: a volume is a directory below the data root, or with options something that is mounted there as
 *  long as somebody uses it. Directories and options are on disk before anything else knows of the volume, so that a
 *  crash leaves something whole. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Background, errnoOf } from '../base/index.ts'
import { limitTree, listMounts, makePrivateDirectory, unlimitTree, unmount, unmountInBackground } from '../sys/index.ts'
import { type LocalOptions, mountLocal, needsMount, readOptions, sizeLimit, writeOptions } from './local-options.ts'
import { contentDirectory, isGoneDirectory, newGoneDirectory, replacementDirectory, volumeDirectory } from './paths.ts'
import { finishReplacement, moveAll, pathOf } from './replace-content.ts'
import type { DriverVolume, VolumeDriver, VolumeScope } from './volume-driver.ts'

/** A user and group of the host. */
export interface VolumeOwner {
  readonly uid: number
  readonly gid: number
}

export class LocalDriver implements VolumeDriver {
  readonly name = 'local'
  readonly #root: string
  readonly #background: Background
  readonly #owner: VolumeOwner | undefined
  /** Who uses the volumes that have to be mounted. */
  readonly #holders = new Map<string, Set<string>>()

  constructor(root: string, background: Background, owner?: VolumeOwner) {
    this.#owner = owner
    this.#root = root
    this.#background = background
  }

  async scope(): Promise<VolumeScope> {
    return 'local'
  }

  /** Synchronous up to its end. */
  async create(name: string, options: LocalOptions): Promise<void> {
    makeDirectories(this.#root, name, options, this.#owner)
  }

  /** Moves the directory out of the way at once and deletes it without making anybody wait. */
  async remove(name: string): Promise<void> {
    const gone = newGoneDirectory(this.#root)
    try {
      if (needsMount(readOptions(this.#root, name))) await this.#unmount(name)
      moveAway(volumeDirectory(this.#root, name), gone)
    } catch (error) {
      // Somebody deleted it by hand: then nothing is left to do.
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    this.#delete(gone)
  }

  /** Empties a volume that is not mounted. What was in it is moved away at once and deleted in the background, unless
   *  it counts against the volume's size until it is deleted. */
  async empty(name: string): Promise<void> {
    const content = contentDirectory(this.#root, name)
    if (sizeLimit(readOptions(this.#root, name)) > 0) return await removeContent(content)
    const gone = newGoneDirectory(this.#root)
    mkdirSync(gone, { mode: 0o700 })
    try {
      await moveAll(content, gone)
    } finally {
      this.#delete(gone)
    }
  }

  async find(name: string): Promise<DriverVolume | undefined> {
    const mountpoint = contentDirectory(this.#root, name)
    return existsSync(mountpoint) ? { name, mountpoint } : undefined
  }

  async list(): Promise<readonly DriverVolume[]> {
    return this.#names().map((name) => ({ name, mountpoint: contentDirectory(this.#root, name) }))
  }

  async mount(name: string, holder: string): Promise<string> {
    const target = contentDirectory(this.#root, name)
    const options = readOptions(this.#root, name)
    if (!needsMount(options)) return target
    const holders = this.#holders.get(name) ?? new Set()
    if (holders.size === 0) {
      // A mount that a daemon left which died has the options of that time.
      await this.#unmount(name)
      await mountLocal(options, target)
    }
    this.#holders.set(name, holders.add(holder))
    return target
  }

  async unmount(name: string, holder: string): Promise<void> {
    const holders = this.#holders.get(name)
    if (holders?.delete(holder) !== true || holders.size > 0) return
    this.#holders.delete(name)
    await this.#unmount(name)
  }

  /** What a boot does: volumes that are mounted for those of `holders` who still live stay so, all others are taken
   *  away. Failures do not end it. */
  async restore(
    holders: ReadonlyMap<string, ReadonlySet<string>>,
    onError: (name: string, error: unknown) => void,
  ): Promise<void> {
    const mounted = new Set(listMounts(this.#root).map(({ mountPoint }) => mountPoint))
    for (const name of this.#names()) {
      try {
        await this.#restoreOne(name, holders.get(name) ?? new Set(), mounted)
      } catch (error) {
        onError(name, error)
      }
    }
  }

  async #restoreOne(name: string, holders: ReadonlySet<string>, mounted: ReadonlySet<string>): Promise<void> {
    const target = contentDirectory(this.#root, name)
    const options = readOptions(this.#root, name)
    if (!needsMount(options)) return
    if (holders.size === 0) {
      if (mounted.has(target)) await this.#unmount(name)
      return
    }
    this.#holders.set(name, new Set(holders))
    // Unmounted by hand: those who run keep what they have, the next one gets a mount.
    if (!mounted.has(target)) await mountLocal(options, target)
  }

  /** Ends the removals and the changes of content that a crash interrupted. */
  async sweep(): Promise<void> {
    for (const name of readdirSync(this.#root)) {
      if (isGoneDirectory(name)) {
        this.#delete(join(this.#root, name))
        continue
      }
      const work = replacementDirectory(this.#root, name)
      if (!existsSync(work)) continue
      await finishReplacement(contentDirectory(this.#root, name), work)
      this.#delete(work)
    }
  }

  #names(): string[] {
    return readdirSync(this.#root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !isGoneDirectory(entry.name))
      .map((entry) => entry.name)
      .filter((name) => existsSync(contentDirectory(this.#root, name)))
  }

  /** Whoever still looks at it keeps it for his own time. */
  async #unmount(name: string): Promise<void> {
    await unmountInBackground(contentDirectory(this.#root, name))
  }

  #delete(directory: string): void {
    this.#background.run('delete volume', async () => {
      // What is mounted there belongs to somebody else.
      for (const { mountPoint } of listMounts(directory).reverse()) unmount(mountPoint, { lazy: true })
      if (existsSync(directory)) unlimitTree(directory)
      await rm(directory, { recursive: true, force: true })
    })
  }
}

/** Removes what is in a directory. */
export async function removeContent(directory: string): Promise<void> {
  for (const name of await readdir(directory, { encoding: 'buffer' })) {
    await rm(pathOf(directory, name), { recursive: true, force: true })
  }
}

/** A limit goes with the directory, unless a project of the administrator's is in the way. */
function moveAway(directory: string, gone: string): void {
  try {
    renameSync(directory, gone)
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error
    unlimitTree(directory)
    renameSync(directory, gone)
  }
}

/** The umask does not count here. Users of the host reach a volume through a container only: it may hold setuid
 *  programs that a container's root made. The directory of the volumes is closed as well. */
function makeDirectories(root: string, name: string, options: LocalOptions, owner: VolumeOwner | undefined): void {
  const directory = volumeDirectory(root, name)
  const content = contentDirectory(root, name)
  if (existsSync(content)) return
  makePrivateDirectory(directory, owner?.gid)
  if (Object.keys(options).length > 0) writeOptions(root, name, options)
  const size = sizeLimit(options)
  if (size > 0) limitTree(directory, size)
  mkdirSync(content, { recursive: true })
  chmodSync(content, 0o755)
  if (owner !== undefined) chownSync(content, owner.uid, owner.gid)
}
