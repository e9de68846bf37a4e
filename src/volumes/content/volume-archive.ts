/** Packs and unpacks a volume's content as a tar stream, with owners, modes, times, extended attributes, hard links,
 *  holes and device nodes. Like tar, it leaves out sockets. */
import { closeSync, constants, openSync } from 'node:fs'
import { decompressUpload, packDirectory, TarParser, TreeWriter } from '../../archive/index.ts'
import { type AbortOptions, invalidArgument } from '../../base/index.ts'
import { replacementName } from './paths.ts'

/** Packs the directory of a volume. The names of entries begin with `./`; the first entry is the directory itself. */
export function packVolume(directory: string, { signal }: AbortOptions = {}): AsyncIterable<Buffer> {
  const exclude = (path: string): boolean => path === `./${replacementName}`
  return packDirectory(directory, { prefix: './', sparse: true, allXattrs: true, exclude, signal })
}

/** Unpacks a tar stream, compressed or not, into an empty directory. Throws `invalidArgument` for anything but a
 *  complete tar archive. */
export async function unpackVolume(
  source: AsyncIterable<Buffer>,
  directory: string,
  { signal }: AbortOptions = {},
): Promise<void> {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    using writer = new TreeWriter(fd, { destination: '', owner: 'archive', withRoot: true, shownAs: '/', pauses: true })
    const parser = new TarParser(writer)
    let length = 0
    for await (const chunk of await decompressUpload(source, { signal })) {
      signal?.throwIfAborted()
      parser.push(chunk)
      await writer.settle()
      length += chunk.length
    }
    // An empty stream comes from a failed command before a pipe.
    if (length === 0) throw invalidArgument('the archive is empty')
    parser.end()
    writer.finish()
    await writer.settle()
  } finally {
    closeSync(fd)
  }
}
