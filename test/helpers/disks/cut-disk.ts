/** A disk in a file whose power can be cut: only what was written to it before the cut remains. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand, runOrThrow } from '../command.ts'
import { mountsBelow } from '../daemons/daemon.ts'

const diskBytes = 512 * 1024 * 1024

export class CutDisk implements AsyncDisposable {
  /** The mount point. */
  readonly path: string
  readonly #home: string
  #file: string

  private constructor(home: string) {
    this.#home = home
    this.path = join(home, 'm')
    this.#file = join(home, 'disk')
  }

  /** Makes and mounts a disk: ext4, which gives a new file its blocks only when the kernel writes it. */
  static async make(): Promise<CutDisk> {
    const disk = new CutDisk(mkdtempSync('/tmp/b-cut-'))
    mkdirSync(disk.path)
    writeFileSync(disk.#file, '')
    truncateSync(disk.#file, diskBytes)
    try {
      await runOrThrow('mkfs.ext4', ['-q', disk.#file])
      await disk.#mount()
    } catch (error) {
      await disk[Symbol.asyncDispose]()
      throw error
    }
    return disk
  }

  /** Keeps what is on the disk at this moment, without what the kernel has yet to write. */
  cut(): void {
    copyFileSync(this.#file, join(this.#home, 'cut'))
  }

  /** Replaces the disk with its state at the cut. No program may use the old one anymore. */
  async powerOn(): Promise<void> {
    await this.#unmount()
    rmSync(this.#file)
    this.#file = join(this.#home, 'cut')
    await this.#mount()
  }

  async #mount(): Promise<void> {
    await runOrThrow('mount', ['-o', 'loop', this.#file, this.path])
  }

  async #unmount(): Promise<void> {
    for (const path of mountsBelow(this.path).reverse()) await runCommand('umount', ['-l', path])
    await runCommand('umount', [this.path])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#unmount()
    rmSync(this.#home, { recursive: true, force: true })
  }
}
