/** Keeps how far a log has been delivered, over the death of the daemon: a record of fixed size in a file that is
 *  written in place by one call, so that what is there is always whole. Written without fsync: a machine that goes
 *  down may have lines delivered twice, never left out. */
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from '../base/index.ts'
import { writeFully } from '../sys/index.ts'
import type { LogPosition } from './log-record.ts'

const recordBytes = 128

export class PositionFile {
  readonly #path: string
  #fd: number | undefined

  /** Its directory is made when first needed; it must not be the log's own, whose changes wake readers. */
  constructor(path: string) {
    this.#path = path
  }

  /** Undefined when nothing was delivered yet, or the file is broken. */
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

  /** Forgets: the next reader begins at the log's start. */
  clear(): void {
    this.close()
    rmSync(this.#path, { force: true })
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }

  #open(): number {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    // Neither truncated nor appended to.
    return openSync(this.#path, constants.O_RDWR | constants.O_CREAT, 0o600)
  }
}
