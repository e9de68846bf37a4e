/** The file that receives the content of a tar entry. */
import { closeFd, truncateFd, utimesAt, writeFully } from '../../sys/index.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/** Runs one step for the entry at `path`, and adds the path to its errors. */
export type EntryGuard = (path: string, action: () => void) => void

/** Writes one file at a time, synchronously. Always dispose of it; what was written stays. */
export class IncomingFile implements Disposable {
  readonly #guard: EntryGuard
  #open: { readonly fd: number; readonly entry: TarEntry } | undefined

  constructor(guard: EntryGuard) {
    this.#guard = guard
  }

  /** Starts a file. `end` or the disposal closes the descriptor. */
  begin(fd: number, entry: TarEntry): void {
    this.#open = { fd, entry }
  }

  /** Writes a chunk at `position` (in bytes). Ignores chunks of entries that made no file. */
  write(piece: Buffer, position: number): void {
    const file = this.#open
    if (file === undefined) return
    this.#guard(file.entry.path, () => writeFully(file.fd, piece, position))
  }

  /** Completes the file: sets its size, calls `finish` (owner, mode, attributes), sets the time last, and closes it. */
  end(finish: (fd: number, entry: TarEntry) => void): void {
    const file = this.#open
    if (file === undefined) return
    this.#open = undefined
    const { fd, entry } = file
    try {
      this.#guard(entry.path, () => {
        if (entry.sparse !== undefined) truncateFd(fd, entry.sizeBytes)
        finish(fd, entry)
        utimesAt(fd, null, entry.mtimeNs, entry.mtimeNs)
      })
    } finally {
      closeFd(fd)
    }
  }

  [Symbol.dispose](): void {
    if (this.#open !== undefined) closeFd(this.#open.fd)
    this.#open = undefined
  }
}
