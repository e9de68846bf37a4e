/** The local driver. A volume is a directory below the data root; with options, it is something that is mounted there
 *  while containers use it. Directories and options are on disk before the database has the volume, so a crash never
 *  leaves a record without them. */
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Background, errnoOf } from '../../base/index.ts'
import {
  limitTree,
  listMounts,
  makePrivateDirectory,
  unlimitTree,
  unmount,
  unmountInBackground,
} from '../../sys/index.ts'
import {
  contentDirectory,
  isGoneDirectory,
  newGoneDirectory,
  replacementDirectory,
  volumeDirectory,
} from '../content/paths.ts'
import { finishReplacement, moveAll, pathOf } from '../content/replace-content.ts'
import { type LocalOptions, mountLocal, needsMount, readOptions, sizeLimit, writeOptions } from './local-options.ts'
import type { DriverVolume, VolumeDriver, VolumeScope } from './volume-driver.ts'

/** A user and group of the host. */
export interface VolumeOwner {
  readonly uid: number
  readonly gid: number
}

/** The driver of volumes on this host. */
export class LocalDriver implements VolumeDriver {
  readonly name = 'local'
  readonly #root: string
  readonly #background: Background
  readonly #owner: VolumeOwner | undefined
  /** The holders of each volume that has to be mounted. */
  readonly #holders = new Map<string, Set<string>>()

  constructor(root: string, background: Background, owner?: VolumeOwner) {
    this.#owner = owner
    this.#root = root
    this.#background = background
  }

  async scope(): Promise<VolumeScope> {
    return 'local'
  }

  /** Makes the directories of a volume; no error when they exist. Runs without a pause, so that nothing else happens
   *  meanwhile. */
  async create(name: string, options: LocalOptions): Promise<void> {
    makeDirectories(this.#root, name, options, this.#owner)
  }

  /** Moves the directory away at once and deletes it in the background. */
  async remove(name: string): Promise<void> {
    const gone = newGoneDirectory(this.#root)
    try {
      if (needsMount(readOptions(this.#root, name))) await this.#unmount(name)
      moveAway(volumeDirectory(this.#root, name), gone)
    } catch (error) {
      // The directory was deleted by hand: nothing is left to do.
      if (errnoOf(error) === 'ENOENT') return
      throw error
    }
    this.#delete(gone)
  }

  /** Empties a volume that is not mounted. Its content is moved away at once and deleted in the background. If the
   *  volume has a size limit, its content counts until it is deleted, so this method waits for the deletion. */
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
      // A mount left behind by a crashed daemon keeps the options it was created with.
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

  /** Called at boot: keeps volumes mounted for the living `holders` and unmounts all others. A failure is passed to
   *  `onError`, and the other volumes go on. */
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
    // If the volume was unmounted by hand, running containers keep what they have, and the next one gets this mount.
    if (!mounted.has(target)) await mountLocal(options, target)
  }

  /** Completes the removals and the replacements of content that a crash interrupted. */
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

  /** Unmounts in the background: processes that still use the mount keep it until they end. */
  async #unmount(name: string): Promise<void> {
    await unmountInBackground(contentDirectory(this.#root, name))
  }

  #delete(directory: string): void {
    this.#background.run('delete volume', async () => {
      // Unmount first: the deletion must not reach what is mounted there.
      for (const { mountPoint } of listMounts(directory).reverse()) unmount(mountPoint, { lazy: true })
      if (existsSync(directory)) unlimitTree(directory)
      await rm(directory, { recursive: true, force: true })
    })
  }
}

/** Removes the content of a directory. */
export async function removeContent(directory: string): Promise<void> {
  for (const name of await readdir(directory, { encoding: 'buffer' })) {
    await rm(pathOf(directory, name), { recursive: true, force: true })
  }
}

/** Renames a directory. The size limit goes along, unless the administrator's own quota project prevents it (EXDEV);
 *  then the limit ends first. */
function moveAway(directory: string, gone: string): void {
  try {
    renameSync(directory, gone)
  } catch (error) {
    if (errnoOf(error) !== 'EXDEV') throw error
    unlimitTree(directory)
    renameSync(directory, gone)
  }
}

/** Makes the directories of a volume with fixed modes, whatever the umask is. Users of the host can't enter the
 *  volume's directory, because its content may include setuid programs that a container's root user made. */
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
