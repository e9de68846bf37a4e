/** Lists the files of a context below some paths, as far as the ignore rules let them through.
 *  A directory that is ignored is listed nevertheless when something in it isn't, as BuildKit does. */
import type { BigIntStats } from 'node:fs'
import { readlinkSync } from 'node:fs'
import type { BuildContextFile } from '../../api/index.ts'
import { decodeName, nameBytes } from '../../archive/index.ts'
import { errnoOf } from '../../base/index.ts'
import type { IgnoredDirectory, IgnoreMatcher } from '../../build/dockerfile/index.ts'
import { getXattr, listXattrs } from '../../sys/index.ts'
import { fs } from '../builtins.ts'

export interface WalkOptions {
  /** Relative paths; `.` is everything. One that isn't there is left out. */
  readonly roots: readonly string[]
  readonly ignore: IgnoreMatcher
}

/** Parents before what is in them, names in order of their bytes. */
export function* walkContext(
  directory: string,
  { roots, ignore }: WalkOptions,
): Generator<BuildContextFile, void, void> {
  yield* new ContextWalk(directory).walk(wantedTree(roots), '', ignore.root())
}

/** What is wanted of a directory: everything, or these entries of it. */
type Wanted = 'all' | Map<string, Wanted>

function wantedTree(roots: readonly string[]): Wanted {
  const tree = new Map<string, Wanted>()
  for (const root of roots) {
    const parts = root.split('/').filter((part) => part !== '' && part !== '.')
    if (parts.length === 0) return 'all'
    let at = tree
    for (const [index, part] of parts.entries()) {
      const known = at.get(part)
      if (known === 'all') break
      if (index === parts.length - 1) at.set(part, 'all')
      else {
        const next = known ?? new Map<string, Wanted>()
        at.set(part, next)
        at = next
      }
    }
  }
  return tree
}

function withinOf(wanted: Wanted, name: string): Wanted {
  return wanted === 'all' ? 'all' : (wanted.get(name) ?? 'all')
}

class ContextWalk {
  readonly #top: string
  /** First path of each file that has several. */
  readonly #links = new Map<string, string>()

  constructor(directory: string) {
    this.#top = directory
  }

  *walk(wanted: Wanted, at: string, place: IgnoredDirectory): Generator<BuildContextFile, void, void> {
    for (const name of this.#names(wanted, at)) {
      const inside = place.enter(name)
      if (inside.ignored && !inside.worthEntering) continue
      const path = at === '' ? name : `${at}/${name}`
      const status = this.#stat(path)
      if (status === undefined) continue
      if (status.isDirectory()) yield* this.#directory(withinOf(wanted, name), path, inside, status)
      else if (!inside.ignored) yield this.#file(path, status)
    }
  }

  /** One that is ignored only if there is something in it that isn't. */
  *#directory(
    wanted: Wanted,
    path: string,
    place: IgnoredDirectory,
    status: BigIntStats,
  ): Generator<BuildContextFile, void, void> {
    let isTold = !place.ignored
    if (isTold) yield this.#file(path, status)
    for (const file of this.walk(wanted, path, place)) {
      if (!isTold) yield this.#file(path, status)
      isTold = true
      yield file
    }
  }

  #names(wanted: Wanted, at: string): readonly string[] {
    if (wanted !== 'all') return [...wanted.keys()].sort(compareNames)
    const names = tolerateGone(() => fs.readdirSync(this.#real(at), { encoding: 'buffer' })) ?? []
    return names.sort(Buffer.compare).map(decodeName)
  }

  #stat(path: string): BigIntStats | undefined {
    return tolerateGone(() => fs.lstatSync(this.#real(path), { bigint: true }))
  }

  #real(path: string): string | Buffer {
    const whole = path === '' ? this.#top : `${this.#top}/${path}`
    return whole.isWellFormed() ? whole : nameBytes(whole)
  }

  #file(path: string, status: BigIntStats): BuildContextFile {
    const type = typeOf(status)
    const key = type !== 'f' || status.nlink < 2n ? undefined : `${status.dev}:${status.ino}`
    const first = key === undefined ? undefined : this.#links.get(key)
    if (key !== undefined && first === undefined) this.#links.set(key, path)
    const xattrs = type === 'f' || type === 'd' ? readXattrs(`${this.#top}/${path}`) : undefined
    return {
      p: path,
      t: type,
      m: Number(status.mode & 0o7777n),
      ...(type === 'f' ? { s: Number(status.size) } : {}),
      mt: String(status.mtimeNs),
      ct: String(status.ctimeNs),
      i: String(status.ino),
      ...(type === 'l' ? { l: decodeName(readlinkSync(this.#real(path), { encoding: 'buffer' })) } : {}),
      ...(first === undefined ? {} : { n: first }),
      ...(xattrs === undefined ? {} : { x: xattrs }),
    }
  }
}

function typeOf(status: BigIntStats): BuildContextFile['t'] {
  if (status.isFile()) return 'f'
  if (status.isDirectory()) return 'd'
  return status.isSymbolicLink() ? 'l' : 'o'
}

/** Attributes that belong to the file, not to this host's file system or security module. */
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

/** Files come and go while a context is read. */
function tolerateGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '')) return undefined
    throw error
  }
}
