/** Tar reading by pulling: an async iterable of bytes becomes an async iterable of entries with their content.
 *  For code that looks into an archive; unpacking uses the push parser directly. */
import type { TarEntry } from './tar-entry.ts'
import { TarParser } from './tar-parser.ts'

/** An entry while the reader stands on it. */
export interface TarMember {
  readonly entry: TarEntry
  /** The content's pieces in order, holes of sparse files as zeros. What isn't read is skipped. */
  readonly body: AsyncIterable<Buffer>
}

type Found =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  | { readonly kind: 'data'; readonly piece: Buffer; readonly position: number }
  | { readonly kind: 'end' }

/** Reads an archive entry by entry. `source` must give memory that it doesn't reuse.
 *  Reads to the end of the source, past the archive's end mark, so that digests over it are whole. */
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
    // A reader that stops early closes the source as well.
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
