/** Keeps the position up to which a log was delivered, for the next run of the daemon. The file has one record of fixed
 *  size, which a single call overwrites, so it is always complete. There is no fsync: after a crash of the host, lines
 *  may be delivered twice, but none is left out. */
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../base/index.ts'
import { writeFully } from '../sys/index.ts'
import type { LogPosition } from './drivers/log-record.ts'

const recordBytes = 128

/** The file with the position of one log. */
export class PositionFile {
  readonly #path: string
  #fd: number | undefined

  /** The directory of `path` is made when needed. It must not be that of the log, because changes there wake
   *  readers. */
  constructor(path: string) {
    this.#path = path
  }

  /** The recorded position; undefined when nothing was delivered yet or the file is damaged. */
  read(): LogPosition | undefined {
    try {
      const value = JSON.parse(readFileSync(this.#path, 'utf8')) as Partial<LogPosition>
      const { inode, head, offset } = value
      if (typeof inode !== 'number' || typeof head !== 'string' || typeof offset !== 'number') return undefined
      return { inode, head, offset }
    } catch (error) {
      if (errnoOf(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
      throw error
    }
  }

  write(position: LogPosition): void {
    this.#fd ??= this.#open()
    const text = JSON.stringify(position).padEnd(recordBytes - 1)
    writeFully(this.#fd, Buffer.from(`${text}\n`), 0)
  }

  /** Deletes the position: the next delivery begins at the log's start. */
  clear(): void {
    this.close()
    rmSync(this.#path, { force: true })
  }

  /** Closes the file. Idempotent. */
  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    // The file is neither truncated nor appended to.
    return openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600)
  }
}
