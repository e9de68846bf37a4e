/** The file that a tar entry's content is written into while it comes. */
import { closeFd, truncateFd, utimesAt, writeFully } from '../../sys/index.ts'
import type { TarEntry } from '../tar/tar-entry.ts'

/** Runs one step for the entry at `path`, whose failures become errors that name it. */
export type EntryGuard = (path: string, action: () => void) => void

/** At most one file at a time. Synchronous. Dispose it in any case; what was written stays. */
export class IncomingFile implements Disposable {
  readonly #guard: EntryGuard
  #open: { readonly fd: number; readonly entry: TarEntry } | undefined

  constructor(guard: EntryGuard) {
    this.#guard = guard
  }

  /** The descriptor is closed by `end` or with the whole. */
  begin(fd: number, entry: TarEntry): void {
    this.#open = { fd, entry }
  }

  /** Writes a piece at `position`, in bytes; nothing for an entry that made no file. */
  write(piece: Buffer, position: number): void {
    const file = this.#open
    if (file === undefined) return
    this.#guard(file.entry.path, () => writeFully(file.fd, piece, position))
  }

  /** Gives the file its size, what `finish` gives it (owner, mode, attributes), and its time last; then closes it. */
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
