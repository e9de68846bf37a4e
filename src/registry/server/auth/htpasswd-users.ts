/** Users of an htpasswd file: lines `NAME:HASH`, bcrypt only (`htpasswd -B`), as Docker's registry takes them. The file
 *  is read again when it has changed; one that can't be read then changes nothing.
 *
 *  A password that was checked is remembered (as a keyed hash) for as long as the user's line stays the same: clients
 *  send it with every request, and bcrypt takes a tenth of a second. Requests that ask at once share one check. */
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
  /** Hashes by name; '' for those that are not bcrypt's. */
  readonly hashes: ReadonlyMap<string, string>
  /** A hash that no password has, as expensive as the others. */
  readonly nobodys: string
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

  /** Reads the file. Rejects with `invalidArgument` when it can't be read or has a line that is none. */
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
    const { hashes, nobodys } = await this.#current()
    const hash = hashes.get(name) || nobodys
    const key = createHmac('sha256', this.#secret)
      .update(JSON.stringify([name, hash, password]))
      .digest('base64')
    const known = this.#checks.get(key)
    if (known !== undefined) {
      // Used last: forgotten last.
      this.#checks.delete(key)
      this.#checks.set(key, known)
      return known
    }
    const check = this.#checker.matches(password, hash).then((matches) => matches && hash !== nobodys)
    this.#remember(key, check)
    return check
  }

  async fingerprint(name: string): Promise<string | undefined> {
    const hash = (await this.#current()).hashes.get(name)
    return hash ? createHash('sha256').update(hash).digest('base64url').slice(0, 16) : undefined
  }

  /** Answers first what it was asked before. */
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
      // Told once; those who could get in still can.
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
    // Stamped first: what is written meanwhile is read the next time.
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
  return { stamp, hashes, nobodys: `$2b$${rounds}$${'N'.repeat(21)}u${'x'.repeat(30)}2` }
}
