/** Lists the files of a context below some paths, without those that the ignore rules exclude. Every build does this
 *  for every file, in code that is not yet compiled: avoiding garbage here makes the whole command measurably
 *  faster. As in BuildKit, an ignored directory is listed if something in it is not ignored. */
import type { BigIntStats } from 'node:fs'
import type { BuildContextFile, BuildWalkPattern } from '../../../api/index.ts'
import { decodeName, errnoOf, nameBytes } from '../../../base/index.ts'
import type { IgnoredDirectory, IgnoreMatcher } from '../../../build/dockerfile/index.ts'
import { getXattr, listXattrs } from '../../../sys/index.ts'
import { fs } from '../../terminal/builtins.ts'
import { type Wanted, wantedTree } from './wanted-tree.ts'

/** Which files a walk lists. */
export interface WalkOptions {
  /** Relative paths; `.` means everything. A path that does not exist is left out. */
  readonly roots: readonly string[]
  readonly patterns?: readonly BuildWalkPattern[] | undefined
  readonly ignore: IgnoreMatcher
  /** Called for each symbolic link. */
  readonly onLink?: (path: string) => void
}

/** A line of JSON (`BuildContextFile`) for each file. Parents precede their content; names are in order of their
 *  bytes. */
export function* walkContext(
  directory: string,
  { roots, patterns = [], ignore, onLink }: WalkOptions,
): Generator<string, void, void> {
  yield* new ContextWalk(directory, onLink).walk(wantedTree(roots, patterns), '', ignore.root())
}

class ContextWalk {
  readonly #top: string
  readonly #onLink: WalkOptions['onLink']
  /** The first path of each file that has several. */
  readonly #links = new Map<string, string>()

  constructor(directory: string, onLink: WalkOptions['onLink']) {
    this.#top = directory
    this.#onLink = onLink
  }

  *walk(wanted: Wanted, at: string, place: IgnoredDirectory): Generator<string, void, void> {
    for (const name of this.#names(wanted, at)) {
      const inside = place.enter(name)
      if (inside.ignored && !inside.worthEntering) continue
      const within = wanted.enter(name)
      if (within === undefined) continue
      const path = at === '' ? name : `${at}/${name}`
      const status = this.#stat(path)
      if (status === undefined) continue
      if (status.isDirectory()) yield* this.#directory(within, path, inside, status)
      else if (!inside.ignored && within.isNamed) yield this.#file(path, status)
    }
  }

  /** Lists a directory. If it is ignored, it is listed only when something in it is not ignored. */
  *#directory(
    wanted: Wanted,
    path: string,
    place: IgnoredDirectory,
    status: BigIntStats,
  ): Generator<string, void, void> {
    if (!place.ignored) {
      yield this.#file(path, status)
      yield* this.walk(wanted, path, place)
      return
    }
    let isTold = false
    for (const line of this.walk(wanted, path, place)) {
      if (!isTold) yield this.#file(path, status)
      isTold = true
      yield line
    }
  }

  #names(wanted: Wanted, at: string): readonly string[] {
    if (wanted.names !== undefined) return [...wanted.names].sort(compareNames)
    const names = readNames(this.#real(at))
    if (names.every((name) => plain.test(name))) return names.sort()
    // Other names may not be valid text, or may have another order.
    const exact = tolerateGone(() => fs.readdirSync(this.#real(at), { encoding: 'buffer' })) ?? []
    return exact.sort(Buffer.compare).map(decodeName)
  }

  #stat(path: string): BigIntStats | undefined {
    try {
      return fs.lstatSync(this.#real(path), { bigint: true })
    } catch (error) {
      return missing(error)
    }
  }

  #real(path: string): string | Buffer {
    const whole = path === '' ? this.#top : `${this.#top}/${path}`
    return whole.isWellFormed() ? whole : nameBytes(whole)
  }

  #file(path: string, status: BigIntStats): string {
    const type = typeOf(status)
    const key = type !== 'f' || status.nlink < 2n ? undefined : `${status.dev}:${status.ino}`
    const first = key === undefined ? undefined : this.#links.get(key)
    if (key !== undefined && first === undefined) this.#links.set(key, path)
    if (type === 'l') this.#onLink?.(path)
    const { mode, size, mtimeNs, ctimeNs, ino } = status
    const bytes = type === 'f' ? `,"s":${size}` : ''
    const facts = `"m":${Number(mode) & 0o7777}${bytes},"mt":"${mtimeNs}","ct":"${ctimeNs}","i":"${ino}"`
    return `{"p":${JSON.stringify(path)},"t":"${type}",${facts}${this.#rest(path, type, first)}}`
  }

  /** The members that few files have. */
  #rest(path: string, type: BuildContextFile['t'], first: string | undefined): string {
    const xattrs = type === 'f' || type === 'd' ? readXattrs(`${this.#top}/${path}`) : undefined
    if (type !== 'l' && first === undefined && xattrs === undefined) return ''
    const rest: Partial<BuildContextFile> = {
      ...(type === 'l' ? { l: decodeName(fs.readlinkSync(this.#real(path), { encoding: 'buffer' })) } : {}),
      ...(first === undefined ? {} : { n: first }),
      ...(xattrs === undefined ? {} : { x: xattrs }),
    }
    return `,${JSON.stringify(rest).slice(1, -1)}`
  }
}

/** Names for which the order of characters equals the order of bytes. */
const plain = /^[\x01-\x7f]*$/

function readNames(directory: string | Buffer): string[] {
  return tolerateGone(() => fs.readdirSync(directory)) ?? []
}

function typeOf(status: BigIntStats): BuildContextFile['t'] {
  if (status.isFile()) return 'f'
  if (status.isDirectory()) return 'd'
  return status.isSymbolicLink() ? 'l' : 'o'
}

/** The attributes that belong to the file, without those of this host's file system or security module. */
function readXattrs(path: string): Record<string, string> | undefined {
  if (!path.isWellFormed()) return undefined
  let found: Record<string, string> | undefined
  for (const name of listXattrs(path)) {
    if (name !== 'security.capability' && !name.startsWith('user.')) continue
    const value = getXattr(path, name)
    if (value === undefined) continue
    found ??= {}
    found[name] = value.toString('base64')
  }
  return found
}

function compareNames(a: string, b: string): number {
  return Buffer.compare(nameBytes(a), nameBytes(b))
}

/** Runs `look`, and gives undefined if the file has gone: files may come and go while a context is read. */
function tolerateGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    return missing(error)
  }
}

function missing(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) throw error
}
