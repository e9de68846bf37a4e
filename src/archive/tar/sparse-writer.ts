/** Writes a sparse file into a tar archive in PAX format 1.0: the content begins with a map of the runs.
 *  https://www.gnu.org/software/tar/manual/html_node/PAX-1.html */
import { nameBytes } from '../../base/index.ts'
import { type SparseRun, tarBlockBytes, tarPaddingBytes } from './tar-entry.ts'
import { formatTarHeader, type TarEntryInput, tarPadding } from './tar-writer.ts'

/** Header and map of a file of `sizeBytes` bytes that has only `runs`. The caller writes the bytes of the runs next,
 *  then `tarPadding` of their sum. */
export function formatSparseHeader(
  entry: TarEntryInput & { readonly sizeBytes: number },
  runs: readonly SparseRun[],
): Buffer {
  const numbers = [runs.length, ...runs.flatMap(({ offset, length }) => [offset, length])]
  const map = Buffer.from(numbers.map((number) => `${number}\n`).join(''), 'latin1')
  const mapBytes = map.length + tarPaddingBytes(map.length)
  const stored = runs.reduce((sum, { length }) => sum + length, 0)
  const slash = entry.path.lastIndexOf('/')
  // The name that readers without support of the format show.
  const path = `${entry.path.slice(0, slash + 1)}GNUSparseFile.0/${entry.path.slice(slash + 1)}`
  const header = formatTarHeader({ ...entry, path, sizeBytes: mapBytes + stored }, [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.name', nameBytes(entry.path)],
    ['GNU.sparse.realsize', String(entry.sizeBytes)],
  ])
  return Buffer.concat([header, map, tarPadding(map.length)])
}

/** True when the holes are large enough, at least one block, to be worth a map. */
export function isSparse(sizeBytes: number, runs: readonly SparseRun[]): boolean {
  return runs.reduce((sum, { length }) => sum + length, 0) + tarBlockBytes <= sizeBytes
}
