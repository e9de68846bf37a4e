/** Running hashes of growing files. Runs in a worker thread (upload-worker.ts), which hashes the bytes that it writes
 *  itself. Bytes from other threads or processes are read back from the page cache, which is cheaper than passing each
 *  chunk between threads. If there is no running hash, because another process wrote the first half, hashing begins at
 *  the start of the file. */
import type { Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { type DigestAlgorithm, hasherOf } from '../../model/blob-digest.ts'

/** A file, and how far to hash it. */
export interface HashTarget {
  readonly id: string
  readonly path: string
  readonly algorithm: DigestAlgorithm
  /** Number of bytes that are written and will not change. */
  readonly sizeBytes: number
}

interface Session {
  readonly path: string
  /** Undefined while the file is closed. */
  fd: number | undefined
  wasUsed: boolean
  readonly hash: Hash
  readonly algorithm: DigestAlgorithm
  offset: number
}

const readBytes = 1024 * 1024
/** With more files, the least recently used one is forgotten: it may belong to an abandoned upload. */
const maxSessions = 1024

export class FileHasher {
  readonly #sessions = new Map<string, Session>()
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes)

  /** Hashes the file up to `sizeBytes`. A missing file is ignored, because its upload was aborted. */
  advance(target: HashTarget): void {
    try {
      this.#read(this.#session(target), target.sizeBytes)
    } catch {
      this.drop(target.id)
    }
  }

  /** Hashes the file up to `target.sizeBytes`, then the pieces, which were just written after that. */
  add(target: HashTarget, pieces: readonly Buffer[]): void {
    try {
      const session = this.#session(target)
      this.#read(session, target.sizeBytes)
      for (const piece of pieces) {
        session.hash.update(piece)
        session.offset += piece.length
      }
    } catch {
      this.drop(target.id)
    }
  }

  /** Gives the hexadecimal hash of the first `sizeBytes` bytes, and forgets the file. Throws the system's error. */
  finish(target: HashTarget): string {
    try {
      let session = this.#session(target)
      if (session.algorithm !== target.algorithm || session.offset > target.sizeBytes) {
        this.drop(target.id)
        session = this.#session(target)
      }
      this.#read(session, target.sizeBytes)
      return session.hash.digest('hex')
    } finally {
      this.drop(target.id)
    }
  }

  /** Closes the files that were not used since the last call. If another process aborted an upload, its space is freed
   *  only after the file is closed here. */
  closeIdle(): void {
    for (const session of this.#sessions.values()) {
      if (!session.wasUsed) close(session)
      session.wasUsed = false
    }
  }

  /** Forgets a file. */
  drop(id: string): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#sessions.delete(id)
    close(session)
  }

  #session({ id, path, algorithm }: HashTarget): Session {
    const found = this.#sessions.get(id)
    // Set again, so that the map is in order of use.
    this.#sessions.delete(id)
    const hash = found?.hash ?? hasherOf(algorithm)
    const session = found ?? { path, fd: undefined, wasUsed: true, hash, algorithm, offset: 0 }
    this.#sessions.set(id, session)
    const [oldest] = this.#sessions.keys()
    if (this.#sessions.size > maxSessions && oldest !== undefined) this.drop(oldest)
    return session
  }

  #read(session: Session, sizeBytes: number): void {
    if (session.offset >= sizeBytes) return
    session.fd ??= openSync(session.path, 'r')
    session.wasUsed = true
    while (session.offset < sizeBytes) {
      const wanted = Math.min(this.#buffer.length, sizeBytes - session.offset)
      const count = readSync(session.fd, this.#buffer, 0, wanted, session.offset)
      if (count === 0) throw new Error('the file is shorter than what was written to it')
      session.hash.update(count === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, count))
      session.offset += count
    }
  }
}

function close(session: Session): void {
  if (session.fd !== undefined) closeSync(session.fd)
  session.fd = undefined
}
