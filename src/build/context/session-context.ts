/** A directory of the client: its files are listed, and only contents that a step needs and that are not known by
 *  their facts travel. What was hashed once is remembered by path, inode, size and times:
 *  `<build>/contexts/<digest of the key>.json.zst`, replaced as a whole; a lost one only costs time. */
import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { BuildContextFile } from '../../api/index.ts'
import { type AbortOptions, BerthError, invalidArgument, newId } from '../../base/index.ts'
import { type ContextFile, ContextTree, resolveInTree, type TreeReader } from '../tree/index.ts'
import { type FileContents, type FileContext, maxTextBytes } from './file-context.ts'
import type { ReceivedFile } from './file-stream.ts'
import { Spool } from './spool.ts'

/** What the client can be asked for. */
export interface SessionFiles {
  /** What is at and below these paths ('.' for everything). */
  walk(roots: readonly string[]): AsyncIterable<BuildContextFile>
  /** Puts the contents of these files into the spool; each was listed. */
  fetch(paths: readonly string[], spool: Spool, onFile: (path: string, file: ReceivedFile) => void): Promise<void>
  /** Nothing more is wanted. */
  close?(): Promise<void>
}

interface Known {
  /** Inode, size, ctime, mtime. */
  readonly facts: string
  readonly digest: string
}

const linkRounds = 40

export class SessionContext implements FileContext {
  readonly #client: SessionFiles
  readonly #directory: string
  readonly #memory: string | undefined
  readonly #tree = new ContextTree()
  readonly #facts = new Map<string, string>()
  readonly #looked = new Set<string>()
  readonly #known: Map<string, Known>
  #spool: Spool | undefined
  #isChanged = false
  /** One conversation at a time: stages ask side by side. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(client: SessionFiles, directory: string, memory: string | undefined) {
    this.#client = client
    this.#directory = directory
    this.#memory = memory
    this.#known = memory === undefined ? new Map() : readMemory(memory)
  }

  /** `key`: what is known of its files is remembered by it; '': nothing is. */
  static open(buildDirectory: string, key: string, client: SessionFiles): SessionContext {
    if (key === '') return new SessionContext(client, join(buildDirectory, 'tmp'), undefined)
    const name = hash('sha256', key, 'hex').slice(0, 40)
    return new SessionContext(client, join(buildDirectory, 'tmp'), join(buildDirectory, 'contexts', `${name}.json.zst`))
  }

  async look(roots: readonly string[], _options?: AbortOptions): Promise<TreeReader> {
    return await this.#inTurn(async () => {
      let wanted = roots.map(rootOf)
      for (let round = 0; round < linkRounds; round += 1) {
        const missing = wanted.filter((root) => !this.#isLooked(root))
        if (missing.length > 0) await this.#walk(missing)
        // A symlink may lead to where nobody has looked.
        const next = roots.map(rootOf).flatMap((root) => linkTarget(this.#tree, root) ?? [])
        if (next.every((root) => this.#isLooked(root))) break
        wanted = next
      }
      return this.#tree
    })
  }

  async digests(paths: readonly string[], _options?: AbortOptions): Promise<ReadonlyMap<string, string>> {
    return await this.#inTurn(async () => {
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
    if (this.#isChanged && this.#memory !== undefined) this.#remember(this.#memory)
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn
    const mine = before.then(work, work)
    this.#turn = mine.catch(() => {})
    return await mine
  }

  async #walk(roots: readonly string[]): Promise<void> {
    for await (const one of this.#client.walk(roots.map((root) => (root === '' ? '.' : root)))) {
      const path = checkedPath(one.p)
      this.#tree.set(path, toFile(one))
      this.#facts.set(path, [one.i, one.s ?? 0, one.ct, one.mt].join(' '))
    }
    for (const root of roots) this.#looked.add(root)
  }

  /** It or a directory above it was listed. */
  #isLooked(root: string): boolean {
    for (let path = root; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      if (this.#looked.has(path)) return true
      if (path === '') return false
    }
  }

  #digestOf(path: string): string | undefined {
    const fresh = this.#tree.lstat(path)?.digest
    if (fresh !== undefined) return fresh
    const known = this.#known.get(path)
    return known !== undefined && known.facts === this.#facts.get(path) ? known.digest : undefined
  }

  async #fetch(paths: readonly string[]): Promise<void> {
    this.#spool ??= new Spool(this.#directory)
    const spool = this.#spool
    await this.#client.fetch(paths, spool, (path, { offset, sizeBytes, digest }) => {
      const file = this.#tree.lstat(path)
      if (file === undefined)
        throw new BerthError('invalidArgument', `the client sent ${path}, which it had not listed`)
      const facts = this.#facts.get(path)
      this.#tree.set(path, { ...file, offset, sizeBytes, digest })
      if (facts === undefined) return
      this.#known.set(path, { facts, digest })
      this.#isChanged = true
    })
  }

  #remember(memory: string): void {
    const lines = [...this.#known].map(([path, { facts, digest }]) => [path, facts, digest])
    mkdirSync(join(memory, '..'), { recursive: true, mode: 0o700 })
    const fresh = `${memory}.${newId().slice(0, 8)}`
    writeFileSync(fresh, zstdCompressSync(Buffer.from(JSON.stringify(lines))), { mode: 0o600 })
    renameSync(fresh, memory)
  }
}

function readMemory(path: string): Map<string, Known> {
  if (!existsSync(path)) return new Map()
  try {
    const lines = JSON.parse(zstdDecompressSync(readFileSync(path)).toString('utf8')) as [string, string, string][]
    return new Map(lines.map(([name, facts, digest]) => [name, { facts, digest }]))
  } catch {
    // A power cut may have left half of it: then everything is hashed anew.
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

/** The part of a source that has no wildcard. */
function rootOf(source: string): string {
  const kept: string[] = []
  for (const part of source.split('/')) {
    if (part === '' || part === '.') continue
    if (/[*?[\\]/.test(part)) break
    if (part === '..') kept.pop()
    else kept.push(part)
  }
  return kept.join('/')
}

/** Where the first symlink on a path leads, with what follows it; undefined when there is none. */
function linkTarget(tree: ContextTree, path: string): string[] | undefined {
  const targets: string[] = []
  let rest = path.split('/').filter((part) => part !== '')
  let done: string[] = []
  for (let count = 0; rest.length > 0 && count < 1000; count += 1) {
    const [part = '', ...others] = rest
    rest = others
    if (part === '.') continue
    if (part === '..') {
      done.pop()
      continue
    }
    const here = [...done, part].join('/')
    const entry = tree.lstat(here)
    if (entry?.type !== 'symlink') {
      done.push(part)
      continue
    }
    if (entry.linkPath.startsWith('/')) done = []
    rest = [...entry.linkPath.split('/').filter((one) => one !== ''), ...rest]
    targets.push(rootOf([...done, ...rest].join('/')))
  }
  return targets.length === 0 ? undefined : targets
}
