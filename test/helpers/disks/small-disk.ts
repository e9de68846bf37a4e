/** A small disk in a file, for tests of what the engine does when its disk is full. */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { errnoOf } from '../../../src/base/index.ts'
import { runCommand, runOrThrow } from '../command.ts'
import { mountsBelow } from '../daemons/daemon.ts'

const diskBytes = 60 * 1024 * 1024
const chunk = Buffer.alloc(64 * 1024)

export class SmallDisk implements AsyncDisposable {
  /** A directory on the disk, for a data root. */
  readonly dataRoot: string
  readonly #home: string
  readonly #mount: string
  readonly #filler: string
  readonly #inodes: string

  private constructor(home: string) {
    this.#home = home
    this.#mount = join(home, 'm')
    this.dataRoot = join(this.#mount, 'd')
    this.#filler = join(this.#mount, 'filler')
    this.#inodes = join(this.#mount, 'inodes')
  }

  /** Makes and mounts one of 60 MB, of which root can use every block. */
  static async make(): Promise<SmallDisk> {
    const disk = new SmallDisk(mkdtempSync('/tmp/b-small-'))
    const file = join(disk.#home, 'disk')
    mkdirSync(disk.#mount)
    writeFileSync(file, '')
    truncateSync(file, diskBytes)
    try {
      await runOrThrow('mkfs.ext4', ['-q', '-m', '0', file])
      await runOrThrow('mount', ['-o', 'loop', file, disk.#mount])
      mkdirSync(disk.dataRoot)
      writeFileSync(disk.#filler, '')
    } catch (error) {
      await disk[Symbol.asyncDispose]()
      throw error
    }
    return disk
  }

  /** Writes a file beside the data root until no byte is free. */
  fill(): void {
    const fd = openSync(this.#filler, 'a')
    try {
      for (const size of [chunk.length, 4096, 1]) {
        while (writes(fd, size)) {}
        fsyncSync(fd)
      }
    } finally {
      closeSync(fd)
    }
  }

  /** Makes empty files beside the data root until no inode is free. */
  takeInodes(): void {
    mkdirSync(this.#inodes, { recursive: true })
    for (let number = 0; ; number += 1) {
      try {
        writeFileSync(join(this.#inodes, String(number)), '')
      } catch (error) {
        if (errnoOf(error) === 'ENOSPC') return
        throw error
      }
    }
  }

  /** Removes what `fill` and `takeInodes` made. */
  free(): void {
    truncateSync(this.#filler, 0)
    rmSync(this.#inodes, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const path of mountsBelow(this.#mount).reverse()) await runCommand('umount', ['-l', path])
    await runCommand('umount', ['-l', this.#mount])
    rmSync(this.#home, { recursive: true, force: true })
  }
}

/** Appends zeros. False if the disk is full. */
function writes(fd: number, bytes: number): boolean {
  try {
    return writeSync(fd, chunk, 0, bytes) > 0
  } catch (error) {
    if (errnoOf(error) === 'ENOSPC') return false
    throw error
  }
}
