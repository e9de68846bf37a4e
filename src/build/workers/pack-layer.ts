/** Packs a layer's directory right after it was written, on the same thread, while its files are still in the page
 *  cache. */
import { createHash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { packDirectory } from '../../archive/index.ts'
import { writeFully } from '../../sys/index.ts'

/** Writes the directory as a tar to `output`. Gives the tar's SHA-256 in hexadecimal and its size in bytes. */
export async function packLayer(
  directory: string,
  output: string,
): Promise<{ readonly sha256: string; readonly sizeBytes: number }> {
  const fd = openSync(output, 'w', 0o600)
  try {
    const sum = createHash('sha256')
    let sizeBytes = 0
    for await (const chunk of packDirectory(directory, { overlay: true })) {
      writeFully(fd, chunk)
      sum.update(chunk)
      sizeBytes += chunk.length
    }
    return { sha256: sum.digest('hex'), sizeBytes }
  } finally {
    closeSync(fd)
  }
}
