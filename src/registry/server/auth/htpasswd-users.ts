/** The users of an htpasswd file with lines `NAME:HASH`. As in Docker's registry, only bcrypt hashes work (`htpasswd
 *  -B`). A changed file is read again; if that fails, the users stay as they were.
 *
 *  Clients send the password with every request, and bcrypt takes a tenth of a second. So the result of a check is
 *  remembered under a keyed hash until the user's line changes. Concurrent requests with the same password share one
 *  check. */
import { createHash, createHmac, randomBytes } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { invalidArgument, type Logger, messageOf, nullLogger } from '../../../base/index.ts'
import { PasswordChecker } from './password-checker.ts'
import type { UserDirectory } from './user-directory.ts'

const bcryptHash = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const rememberedChecks = 2000
const defaultCost = 10

interface Lines {
  readonly stamp: string
  /** Hashes by name; '' for hashes of other kinds than bcrypt. */
  readonly hashes: ReadonlyMap<string, string>
  /** A hash that fits no password, for unknown users. It costs as much to check as the others. */
  readonly unmatchable: string
}

export class HtpasswdUsers implements UserDirectory, AsyncDisposable {
  readonly #path: string
  readonly #logger: Logger
  readonly #checker = new PasswordChecker()
  readonly #secret = randomBytes(32)
  readonly #checks = new Map<string, Promise<boolean>>()
  readonly #asked = new Set<Promise<boolean>>()
  #lines: Lines
  #failedStamp = ''

  private constructor(path: string, lines: Lines, logger: Logger) {
    this.#path = path
    this.#lines = lines
    this.#logger = logger
  }

  /** Reads the file. Rejects with `invalidArgument` if it can't be read or has a malformed line. */
  static async open(path: string, { logger = nullLogger }: { readonly logger?: Logger } = {}): Promise<HtpasswdUsers> {
    return new HtpasswdUsers(path, await readLines(path, logger), logger)
  }

  async verify(name: string, password: string): Promise<boolean> {
    const answer = this.#verify(name, password)
    this.#asked.add(answer)
    try {
      return await answer
    } finally {
      this.#asked.delete(answer)
    }
  }

  async #verify(name: string, password: string): Promise<boolean> {
    const { hashes, unmatchable } = await this.#current()
    const hash = hashes.get(name) || unmatchable
    const key = createHmac('sha256', this.#secret)
      .update(JSON.stringify([name, hash, password]))
      .digest('base64')
    const known = this.#checks.get(key)
    if (known !== undefined) {
      // Moved to the end: the first entries are dropped first.
      this.#checks.delete(key)
      this.#checks.set(key, known)
      return known
    }
    const check = this.#checker.matches(password, hash).then((matches) => matches && hash !== unmatchable)
    this.#remember(key, check)
    return check
  }

  async fingerprint(name: string): Promise<string | undefined> {
    const hash = (await this.#current()).hashes.get(name)
    return hash ? createHash('sha256').update(hash).digest('base64url').slice(0, 16) : undefined
  }

  /** Finishes the open checks, then ends the thread. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#asked)
    await this.#checker[Symbol.asyncDispose]()
  }

  #remember(key: string, check: Promise<boolean>): void {
    this.#checks.set(key, check)
    check.catch(() => this.#checks.delete(key))
    if (this.#checks.size > rememberedChecks) {
      const [oldest] = this.#checks.keys()
      if (oldest !== undefined) this.#checks.delete(oldest)
    }
  }

  async #current(): Promise<Lines> {
    const stamp = await stampOf(this.#path).catch(messageOf)
    if (stamp === this.#lines.stamp || stamp === this.#failedStamp) return this.#lines
    try {
      this.#lines = await readLines(this.#path, this.#logger)
      this.#failedStamp = ''
      this.#logger.info('users read again', { users: this.#lines.hashes.size })
    } catch (error) {
      // Logged once for each version of the file. The users stay as they were.
      this.#failedStamp = stamp
      this.#logger.error('users not read again', { error: messageOf(error) })
    }
    return this.#lines
  }
}

async function stampOf(path: string): Promise<string> {
  const { mtimeNs, size, ino } = await stat(path, { bigint: true })
  return `${mtimeNs} ${size} ${ino}`
}

async function readLines(path: string, logger: Logger): Promise<Lines> {
  let stamp: string
  let text: string
  try {
    // The stamp is read first. If the file changes during the read, it is read again the next time.
    stamp = await stampOf(path)
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw invalidArgument(`users: ${messageOf(cause)}`, { cause })
  }
  const hashes = new Map<string, string>()
  let cost = 0
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const colon = trimmed.indexOf(':')
    if (colon < 1) throw invalidArgument(`users: ${path}:${index + 1}: not a line NAME:HASH`)
    const name = trimmed.slice(0, colon)
    const hash = trimmed.slice(colon + 1)
    const [, digits] = bcryptHash.exec(hash) ?? []
    if (digits === undefined) {
      logger.warn('this user cannot get in: the password is not hashed with bcrypt (htpasswd -B)', { user: name })
    }
    hashes.set(name, digits === undefined ? '' : hash)
    cost = Math.max(cost, Number(digits ?? 0))
  }
  const rounds = String(cost || defaultCost).padStart(2, '0')
  return { stamp, hashes, unmatchable: `$2b$${rounds}$${'N'.repeat(21)}u${'x'.repeat(30)}2` }
}
