/** A directory on the client, through fsutil's protocol (the receiving side). The client lists the directory. The
 *  daemon requests contents by the entries' numbers in the list, and tells the client when it needs no more. Each
 *  listing is a call of its own, which stays open until then. */
import { createHash } from 'node:crypto'
import type { BuildContextFile } from '../../../api/index.ts'
import { invalidArgument, newId } from '../../../base/index.ts'
import type { OpenCall } from '../../../grpc/index.ts'
import type { ReceivedFile } from '../../context/file-stream.ts'
import type { SessionFiles, WantedFiles } from '../../context/session-context.ts'
import type { Spool } from '../../context/spool.ts'
import { FileSync } from '../gen/filesync_pb.ts'
import type { Packet, PacketSchema, Stat } from '../gen/fsutil_pb.ts'
import { metadataOf } from './call-metadata.ts'
import type { ClientSession } from './client-session.ts'
import { packetType, permissionsOfMode, typeOfMode } from './fsutil.ts'

/** How many files are requested ahead of the data. */
const askedAtOnce = 64
const second = 1_000_000_000n

/** Options of `SyncedDirectory`. */
export interface SyncedDirectoryOptions {
  /** Patterns of files that the client leaves out. */
  readonly excludes: readonly string[]
  readonly signal: AbortSignal
  /** Called with the number of bytes received. */
  readonly onBytes: (count: number) => void
}

interface Listing {
  readonly call: OpenCall<typeof PacketSchema, typeof PacketSchema>
  readonly packets: AsyncIterator<Packet>
  /** Numbers of the files whose contents can be requested. */
  readonly numbers: Map<string, number>
  readonly sizes: Map<string, number>
}

/** Lists a directory and fetches its files. */
export class SyncedDirectory implements SessionFiles {
  readonly #session: ClientSession
  readonly #name: string
  readonly #options: SyncedDirectoryOptions
  readonly #listings: Listing[] = []

  /** `name` is the client's name of the directory: `context`, `dockerfile`. */
  constructor(session: ClientSession, name: string, options: SyncedDirectoryOptions) {
    this.#session = session
    this.#name = name
    this.#options = options
  }

  async *walk({ roots }: Pick<WantedFiles, 'roots'>): AsyncGenerator<BuildContextFile, void, undefined> {
    const listing = this.#open(roots.includes('.') ? [] : roots)
    for (let number = 0; ; number += 1) {
      const { stat } = await this.#next(listing, packetType.stat)
      if (stat === undefined) return
      const type = typeOfMode(stat.mode)
      const path = stat.path.replace(/\/+$/, '')
      const size = type === 'f' ? sizeOf(stat, listing) : 0
      if (type === 'f') {
        listing.numbers.set(path, number)
        listing.sizes.set(path, size)
      }
      yield fileOf(stat, path, type, size)
    }
  }

  async fetch(
    paths: readonly string[],
    spool: Spool,
    onFile: (path: string, file: ReceivedFile) => void,
  ): Promise<void> {
    const left = new Set(paths)
    // The latest listing counts.
    for (const listing of this.#listings.toReversed()) {
      const mine = [...left].filter((path) => listing.numbers.has(path))
      for (const path of mine) left.delete(path)
      if (mine.length > 0) await this.#receive(listing, mine, spool, onFile)
    }
    for (const path of left) throw invalidArgument(`the client did not list ${path}`)
  }

  async close(): Promise<void> {
    for (const { call } of this.#listings.splice(0)) {
      // Failure is harmless: the client may be gone or stuck.
      await call.send({ type: packetType.end }).catch(() => {})
      call.end()
      void drain(call)
    }
  }

  #open(roots: readonly string[]): Listing {
    const metadata = metadataOf({
      'dir-name': [this.#name],
      'include-patterns': roots,
      'exclude-patterns': this.#options.excludes,
    })
    const call = this.#session.client.open(FileSync.method.diffCopy, { metadata, signal: this.#options.signal })
    const listing = { call, packets: call.messages[Symbol.asyncIterator](), numbers: new Map(), sizes: new Map() }
    this.#listings.push(listing)
    return listing
  }

  async #next({ packets }: Listing, expected: number): Promise<Packet> {
    const next = await packets.next()
    this.#options.signal.throwIfAborted()
    if (next.done === true) throw invalidArgument(`the client ended the transfer of ${this.#name} too early`)
    const { type, data, stat } = next.value
    if (type === packetType.error) throw invalidArgument(`error from sender: ${Buffer.from(data).toString('utf8')}`)
    if (type !== expected) throw invalidArgument(`unexpected packet ${type} from the client`)
    this.#options.onBytes(data.length + (stat?.path.length ?? 0))
    return next.value
  }

  async #receive(
    listing: Listing,
    paths: readonly string[],
    spool: Spool,
    onFile: (path: string, file: ReceivedFile) => void,
  ): Promise<void> {
    const coming = new Map<number, Incoming>()
    const queue = paths.values()
    let asking = Promise.resolve()
    const ask = () => {
      const next = queue.next()
      if (next.done === true) return
      const path = next.value
      const number = listing.numbers.get(path) ?? 0
      // The client sends the contents of each number only once.
      listing.numbers.delete(path)
      coming.set(number, new Incoming(path, listing.sizes.get(path) ?? 0, spool))
      asking = asking.then(() => listing.call.send({ type: packetType.request, id: number }))
      // The reader gets the same error.
      asking.catch(() => {})
    }
    for (let count = 0; count < askedAtOnce; count += 1) ask()
    while (coming.size > 0) {
      const { id, data } = await this.#next(listing, packetType.data)
      const file = coming.get(id)
      if (file === undefined) throw invalidArgument(`the client sent file ${id}, which was not requested`)
      if (data.length > 0) {
        file.add(data)
        continue
      }
      coming.delete(id)
      onFile(file.path, file.finish())
      ask()
    }
    await asking
  }
}

/** A file whose contents arrive in parts, mixed with parts of other files. */
class Incoming {
  readonly path: string
  readonly #spool: Spool
  readonly #reserved: number
  readonly #sum = createHash('sha256')
  #offset: number
  #sizeBytes = 0
  /** Data beyond the listed size, for a file that has grown since. */
  #more: Buffer[] = []

  constructor(path: string, sizeBytes: number, spool: Spool) {
    this.path = path
    this.#spool = spool
    this.#reserved = sizeBytes
    this.#offset = spool.reserve(sizeBytes)
  }

  add(data: Uint8Array): void {
    this.#sum.update(data)
    if (this.#more.length === 0 && this.#sizeBytes + data.length <= this.#reserved)
      this.#spool.write(data, this.#offset + this.#sizeBytes)
    else this.#more.push(Buffer.from(data))
    this.#sizeBytes += data.length
  }

  /** Ends the file. Throws `invalidArgument` when no data arrived for a non-empty file, which means that the client
   *  could not read it. */
  finish(): ReceivedFile {
    if (this.#sizeBytes === 0 && this.#reserved > 0) throw invalidArgument(`the client can't read ${this.path}`)
    if (this.#more.length > 0) {
      const tail = Buffer.concat(this.#more)
      const whole = Buffer.concat([this.#spool.read(this.#offset, this.#sizeBytes - tail.length), tail])
      this.#offset = this.#spool.reserve(whole.length)
      this.#spool.write(whole, this.#offset)
    }
    return { offset: this.#offset, sizeBytes: this.#sizeBytes, digest: this.#sum.digest('hex') }
  }
}

/** The size of an entry. A hard link is listed without one. */
function sizeOf({ size, linkname }: Stat, { sizes }: Listing): number {
  return size === 0n && linkname !== '' ? (sizes.get(linkname) ?? 0) : Number(size)
}

/** An entry as the builder needs it. Owners are ignored, because Docker's client sends none. */
function fileOf(stat: Stat, path: string, type: 'f' | 'd' | 'l' | 'o', size: number): BuildContextFile {
  const xattrs = Object.entries(stat.xattrs).map(([name, value]) => [name, Buffer.from(value).toString('base64')])
  // The list has neither inode nor change time. A modification time in whole seconds may stay the same after a change,
  // so such files are not remembered.
  const isTelling = stat.modTime % second !== 0n
  return {
    p: path,
    t: type,
    m: permissionsOfMode(stat.mode),
    s: size,
    mt: String(stat.modTime),
    ct: isTelling ? '' : newId(),
    i: '',
    ...(type === 'l' ? { l: stat.linkname } : {}),
    ...(xattrs.length === 0 ? {} : { x: Object.fromEntries(xattrs) as Record<string, string> }),
  }
}

async function drain({ messages }: Listing['call']): Promise<void> {
  try {
    for await (const _ of messages) {
      // Drains the call after the client has ended it.
    }
  } catch {
    // The client has disconnected.
  }
}
