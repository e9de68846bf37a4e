/** Reads tar by pulling: an async iterable of bytes becomes an async iterable of entries with content. It is for code
 *  that looks into an archive; unpacking uses the push parser directly. */
import type { TarEntry } from './tar-entry.ts'
import { TarParser } from './tar-parser.ts'

/** The entry that the reader is at. */
export interface TarMember {
  readonly entry: TarEntry
  /** The content in order, with zeros for the holes of sparse files. What the caller does not read is skipped. */
  readonly body: AsyncIterable<Buffer>
}

type Found =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly piece: Buffer; readonly position: number }
  | { readonly kind: 'end' }

/** Reads an archive entry by entry. `source` must not reuse memory. Reads the source to its end, past the archive's end
 *  mark, so that digests cover all of it. Throws `invalidArgument` for damage. */
export async function* readTar(source: AsyncIterable<Buffer>): AsyncIterable<TarMember> {
  const found = findEntries(source)
  try {
    for (;;) {
      const next = await found.next()
      if (next.done === true) return
      if (next.value.kind !== 'entry') continue
      yield { entry: next.value.entry, body: bodyOf(next.value.entry, found) }
    }
  } finally {
    // If the reader stops early, the source is closed as well.
    await found.return(undefined)
  }
}

async function* findEntries(source: AsyncIterable<Buffer>): AsyncGenerator<Found, undefined> {
  let queue: Found[] = []
  const parser = new TarParser({
    entry: (entry) => void queue.push({ kind: 'entry', entry }),
    data: (piece, position) => queue.push({ kind: 'data', piece, position }),
    endEntry: () => queue.push({ kind: 'end' }),
  })
  for await (const chunk of source) {
    parser.push(chunk)
    const ready = queue
    queue = []
    yield* ready
  }
  parser.end()
  return undefined
}

async function* bodyOf(entry: TarEntry, found: AsyncGenerator<Found, undefined>): AsyncIterable<Buffer> {
  let position = 0
  for (;;) {
    const next = await found.next()
    if (next.done === true) return
    const item = next.value
    if (item.kind !== 'data') break
    yield* zeros(item.position - position)
    yield item.piece
    position = item.position + item.piece.length
  }
  yield* zeros(entry.sizeBytes - position)
}

function* zeros(count: number): Iterable<Buffer> {
  const block = Buffer.alloc(Math.min(count, 1 << 16))
  for (let left = count; left > 0; left -= block.length) yield left < block.length ? block.subarray(0, left) : block
}
