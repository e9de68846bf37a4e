/** A directory on the client as a context. Its files are listed first. Then only contents travel that a step needs and
 *  whose digests are not known from earlier builds. Known digests are stored by path, inode, size and times in
 *  `<build>/contexts/<digest of the key>.json.zst`, which is replaced as a whole. Losing that file only costs time. */
import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'
import type { BuildContextDigest, BuildContextFile, BuildWalkAsk } from '../../api/index.ts'
import { type AbortOptions, BerthError, invalidArgument, newId } from '../../base/index.ts'
import { type ContextFile, ContextTree, resolveInTree, type TreeReader } from '../tree/index.ts'
import { type FileContents, type FileContext, type LookOptions, maxTextBytes } from './file-context.ts'
import type { ReceivedFile } from './file-stream.ts'
import { Spool } from './spool.ts'
import { linkedPlaces, nameOfPlace, type WantedPlace, wantedPlace } from './wanted-places.ts'

/** Where a listing looks, and which names it gives. */
export type WantedFiles = Pick<BuildWalkAsk, 'roots' | 'patterns'>

/** Access to a directory of the client. */
export interface SessionFiles {
  /** Lists everything at and below the roots ('.' for all) that matches the patterns. */
  walk(wanted: WantedFiles): AsyncIterable<BuildContextFile>
  /** Copies the contents of these files into the spool and calls `onFile` for each. `walk` must have listed them. */
  fetch(paths: readonly string[], spool: Spool, onFile: (path: string, file: ReceivedFile) => void): Promise<void>
  /** Gives a digest of the list that `walk` would give. Patterns are only sent to clients that have this method. */
  digest?(wanted: WantedFiles): Promise<BuildContextDigest>
  /** Called when the build needs nothing more of the directory. */
  close?(): Promise<void>
}

interface Known {
  /** Inode, size, ctime and mtime, as one text. */
  readonly facts: string
  readonly digest: string
}

const linkRounds = 40
const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The context over a client's directory. */
export class SessionContext implements FileContext {
  readonly #client: SessionFiles
  readonly #key: string
  readonly #directory: string
  readonly #memory: string | undefined
  readonly #tree = new ContextTree()
  readonly #facts = new Map<string, string>()
  readonly #looked = new Set<string>()
  /** Loaded at first use. */
  #known: Map<string, Known> | undefined
  #spool: Spool | undefined
  #isChanged = false
  /** Requests to the client run one at a time, although stages ask in parallel. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(client: SessionFiles, key: string, directory: string, memory: string | undefined) {
    this.#client = client
    this.#key = key
    this.#directory = directory
    this.#memory = memory
  }

  /** `key` names the client's directory for remembered digests; with '' nothing is remembered. */
  static open(buildDirectory: string, key: string, client: SessionFiles): SessionContext {
    if (key === '') return new SessionContext(client, key, join(buildDirectory, 'tmp'), undefined)
    const name = hash('sha256', key, 'hex').slice(0, 40)
    return new SessionContext(
      client,
      key,
      join(buildDirectory, 'tmp'),
      join(buildDirectory, 'contexts', `${name}.json.zst`),
    )
  }

  async look(sources: readonly string[], { form = 'path' }: LookOptions = {}): Promise<TreeReader> {
    const places = sources.map((source) => wantedPlace(source, form))
    return await this.#inTurn(async () => {
      let wanted = places
      for (let round = 0; round < linkRounds; round += 1) {
        const missing = wanted.filter((place) => !this.#isLooked(place))
        if (missing.length > 0) await this.#walk(this.#client.digest === undefined ? missing.map(wholly) : missing)
        // A symlink may lead to a place that is not listed yet.
        const next = places.flatMap((place) => linkedPlaces(this.#tree, place))
        if (next.every((place) => this.#isLooked(place))) break
        wanted = next
      }
      return this.#tree
    })
  }

  /** A build that finds all its steps by identity needs neither lists nor contents of files. A place that is listed
   *  already has no identity: its files are known. */
  async identity(sources: readonly string[], { form = 'path' }: LookOptions = {}): Promise<string | undefined> {
    const places = sources.map((source) => wantedPlace(source, form))
    return await this.#inTurn(async () => {
      if (this.#client.digest === undefined || places.every((place) => this.#isLooked(place))) return undefined
      const { digest, links } = await this.#client.digest(askFor(places))
      // A symlink's target may lie outside the roots.
      const isWhole = links === 'none' || (links === 'below' && places.every(({ pattern }) => pattern === undefined))
      return isWhole ? `${this.#key}\n${digest}` : undefined
    })
  }

  async digests(paths: readonly string[], _options?: AbortOptions): Promise<ReadonlyMap<string, string>> {
    return await this.#inTurn(async () => {
      if (paths.some((path) => this.#tree.lstat(path)?.digest === undefined)) await this.#loadKnown()
      const unknown = paths.filter((path) => this.#digestOf(path) === undefined)
      if (unknown.length > 0) await this.#fetch(unknown)
      return new Map(paths.map((path) => [path, this.#digestOf(path) ?? '']))
    })
  }

  async contents(paths: readonly string[], _options?: AbortOptions): Promise<FileContents> {
    return await this.#inTurn(async () => {
      const absent = paths.filter((path) => this.#tree.lstat(path)?.offset === undefined)
      if (absent.length > 0) await this.#fetch(absent)
      const offsets = new Map(paths.map((path) => [path, this.#tree.lstat(path)?.offset ?? 0]))
      this.#spool ??= new Spool(this.#directory)
      return { spool: this.#spool.path, offsets }
    })
  }

  async text(path: string): Promise<string | undefined> {
    const tree = await this.look([path])
    const found = resolveInTree(tree, path)
    const file = found === undefined ? undefined : this.#tree.lstat(found)
    if (found === undefined || file?.type !== 'file') return undefined
    if (file.sizeBytes > maxTextBytes) throw invalidArgument(`${path} is too large`)
    await this.contents([found])
    return this.#spool?.read(this.#tree.lstat(found)?.offset ?? 0, file.sizeBytes).toString('utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spool?.[Symbol.dispose]()
    await this.#client.close?.()
    if (this.#isChanged && this.#memory !== undefined) await this.#remember(this.#memory)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const mine = before.then(work, work)
    this.#turn = mine.catch(() => {})
    return await mine
  }

  async #walk(places: readonly WantedPlace[]): Promise<void> {
    for await (const one of this.#client.walk(askFor(places))) {
      const path = checkedPath(one.p)
      const facts = [one.i, one.s ?? 0, one.ct, one.mt].join(' ')
      // The content that was fetched is still valid.
      if (this.#facts.get(path) === facts) continue
      this.#tree.set(path, toFile(one))
      this.#facts.set(path, facts)
    }
    for (const place of places) this.#looked.add(nameOfPlace(place))
  }

  /** True when the place or a directory above it is listed. */
  #isLooked(place: WantedPlace): boolean {
    if (this.#looked.has(nameOfPlace(place))) return true
    for (let path = place.root; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      if (this.#looked.has(path)) return true
      if (path === '') return false
    }
  }

  #digestOf(path: string): string | undefined {
    const fresh = this.#tree.lstat(path)?.digest
    if (fresh !== undefined) return fresh
    const known = this.#known?.get(path)
    return known !== undefined && known.facts === this.#facts.get(path) ? known.digest : undefined
  }

  async #loadKnown(): Promise<Map<string, Known>> {
    this.#known ??= await readMemory(this.#memory)
    return this.#known
  }

  async #fetch(paths: readonly string[]): Promise<void> {
    const known = await this.#loadKnown()
    this.#spool ??= new Spool(this.#directory)
    const spool = this.#spool
    await this.#client.fetch(paths, spool, (path, { offset, sizeBytes, digest }) => {
      const file = this.#tree.lstat(path)
      if (file === undefined)
        throw new BerthError('invalidArgument', `the client sent ${path}, which it had not listed`)
      const facts = this.#facts.get(path)
      this.#tree.set(path, { ...file, offset, sizeBytes, digest })
      if (facts === undefined) return
      known.set(path, { facts, digest })
      this.#isChanged = true
    })
  }

  async #remember(memory: string): Promise<void> {
    const lines = [...(this.#known ?? [])].map(([path, { facts, digest }]) => [path, facts, digest])
    await mkdir(dirname(memory), { recursive: true, mode: 0o700 })
    const fresh = `${memory}.${newId().slice(0, 8)}`
    await writeFile(fresh, await compress(Buffer.from(JSON.stringify(lines))), { mode: 0o600 })
    await rename(fresh, memory)
  }
}

async function readMemory(path: string | undefined): Promise<Map<string, Known>> {
  if (path === undefined || !existsSync(path)) return new Map()
  try {
    const text = (await decompress(await readFile(path))).toString('utf8')
    const lines = JSON.parse(text) as [string, string, string][]
    return new Map(lines.map(([name, facts, digest]) => [name, { facts, digest }]))
  } catch {
    // A power cut may leave a damaged file. Then everything is hashed again.
    return new Map()
  }
}

function toFile(one: BuildContextFile): ContextFile {
  const types = { f: 'file', d: 'directory', l: 'symlink', o: 'other' } as const
  const xattrs = Object.entries(one.x ?? {}).map(([name, value]) => [name, Buffer.from(value, 'base64')] as const)
  return {
    type: types[one.t],
    mode: one.m & 0o7777,
    uid: 0,
    gid: 0,
    sizeBytes: one.t === 'f' ? (one.s ?? 0) : 0,
    mtimeNs: BigInt(one.mt),
    linkPath: one.l ?? '',
    ...(xattrs.length === 0 ? {} : { xattrs: new Map(xattrs) }),
  }
}

function checkedPath(path: string): string {
  if (
    path === '' ||
    path.startsWith('/') ||
    path.split('/').some((part) => part === '' || part === '.' || part === '..')
  ) {
    throw invalidArgument(`bad path in the build context: ${JSON.stringify(path)}`)
  }
  return path
}

/** The place without its pattern, for clients that do not take patterns. */
function wholly({ root }: WantedPlace): WantedPlace {
  return { root }
}

function askFor(places: readonly WantedPlace[]): WantedFiles {
  const named = (root: string) => (root === '' ? '.' : root)
  const patterns = places.flatMap(({ root, pattern }) =>
    pattern === undefined ? [] : [{ directory: named(root), pattern: pattern.text, doubleStar: pattern.doubleStar }],
  )
  return {
    roots: places.filter(({ pattern }) => pattern === undefined).map(({ root }) => named(root)),
    ...(patterns.length === 0 ? {} : { patterns }),
  }
}
