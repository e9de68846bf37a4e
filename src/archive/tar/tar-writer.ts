/** Writes tar: USTAR headers, each after a PAX header for what USTAR can't express (long or non-ASCII names, large
 *  numbers, fractions of seconds, xattrs). The same entry always gives the same bytes. */
import { nameBytes } from '../../base/index.ts'
import { formatPaxRecords, formatPaxTime } from './pax.ts'
import { type TarEntry, type TarEntryType, tarBlockBytes, tarPaddingBytes } from './tar-entry.ts'
import { headerChecksum } from './tar-header.ts'

/** The archive's end mark. */
export const tarEnd: Buffer = Buffer.alloc(2 * tarBlockBytes)

/** The bytes that pad a content of that size to whole blocks. */
export function tarPadding(sizeBytes: number): Buffer {
  return tarEnd.subarray(0, tarPaddingBytes(sizeBytes))
}

/** An entry; optional fields have defaults. For files with holes use `formatSparseHeader`. */
export type TarEntryInput = Pick<TarEntry, 'type' | 'path'> &
  Partial<Omit<TarEntry, 'sparse' | 'xattrs'>> & { readonly xattrs?: ReadonlyMap<string, Buffer> | undefined }

/** The header blocks of an entry. The caller writes `sizeBytes` of content and the padding after them. `records` come
 *  first in its PAX header. */
export function formatTarHeader(
  input: TarEntryInput,
  records: readonly (readonly [key: string, value: Buffer | string])[] = [],
): Buffer {
  const entry = withDefaults(input)
  const pax: [string, Buffer | string][] = records.map(([key, value]) => [key, value])
  const block = Buffer.alloc(tarBlockBytes)
  writePath(block, pax, nameBytes(entry.path))
  writeLinkPath(block, pax, nameBytes(entry.linkPath))
  writeOctal(block, 100, 8, entry.mode & 0o177777)
  if (!writeOctal(block, 108, 8, entry.uid)) pax.push(['uid', String(entry.uid)])
  if (!writeOctal(block, 116, 8, entry.gid)) pax.push(['gid', String(entry.gid)])
  if (!writeOctal(block, 124, 12, entry.sizeBytes)) pax.push(['size', String(entry.sizeBytes)])
  const isWholeSecond = entry.mtimeNs % 1_000_000_000n === 0n
  const fits = writeOctal(block, 136, 12, Number(entry.mtimeNs / 1_000_000_000n))
  if (!fits || !isWholeSecond) pax.push(['mtime', formatPaxTime(entry.mtimeNs)])
  block.write(typeFlags[entry.type], 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  writeOctal(block, 329, 8, entry.deviceMajor)
  writeOctal(block, 337, 8, entry.deviceMinor)
  for (const [name, value] of [...(entry.xattrs ?? [])].sort(byName)) pax.push([`SCHILY.xattr.${name}`, value])
  writeChecksum(block)
  return pax.length === 0 ? block : Buffer.concat([formatPaxHeader(pax), block])
}

type CompleteInput = Required<Omit<TarEntryInput, 'xattrs'>> & { readonly xattrs: TarEntryInput['xattrs'] }

function withDefaults(input: TarEntryInput): CompleteInput {
  return {
    linkPath: '',
    mode: input.type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    sizeBytes: 0,
    mtimeNs: 0n,
    deviceMajor: 0,
    deviceMinor: 0,
    xattrs: undefined,
    ...input,
  }
}

const typeFlags: Readonly<Record<TarEntryType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1
}

function writePath(block: Buffer, pax: [string, Buffer | string][], path: Buffer): void {
  const ascii = isPlain(path)
  const split = path.length <= 100 ? 0 : splitPoint(path)
  if (!ascii || split < 0) pax.push(['path', path])
  if (ascii && split > 0) {
    path.copy(block, 345, 0, split)
    path.copy(block, 0, split + 1)
  } else {
    path.copy(block, 0, 0, 100)
  }
}

function writeLinkPath(block: Buffer, pax: [string, Buffer | string][], linkPath: Buffer): void {
  if (linkPath.length > 100 || !isPlain(linkPath)) pax.push(['linkpath', linkPath])
  linkPath.copy(block, 157, 0, 100)
}

/** A member to write: its header and its content, whose length must be the header's `sizeBytes`. */
export interface TarMemberInput {
  readonly entry: TarEntryInput
  readonly body?: Buffer | AsyncIterable<Buffer>
}

/** Writes an archive of these members. If a body is a Buffer, it decides `sizeBytes`. */
export async function* packEntries(
  members: Iterable<TarMemberInput> | AsyncIterable<TarMemberInput>,
): AsyncIterable<Buffer> {
  for await (const { entry, body } of members) {
    if (Buffer.isBuffer(body)) {
      yield formatTarHeader({ ...entry, sizeBytes: body.length })
      if (body.length > 0) yield body
      yield tarPadding(body.length)
    } else {
      yield formatTarHeader(entry)
      if (body !== undefined) yield* body
      yield tarPadding(entry.sizeBytes ?? 0)
    }
  }
  yield tarEnd
}

/** True for ASCII, which is all that USTAR guarantees. */
function isPlain(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte > 126 || byte < 32) return false
  return true
}

/** Index at which a long path is split into USTAR's prefix (155) and name (100); -1 when no slash is at a suitable
 *  place. */
function splitPoint(path: Buffer): number {
  const slash = path.lastIndexOf(0x2f, Math.min(155, path.length - 2))
  return slash > 0 && path.length - slash - 1 <= 100 ? slash : -1
}

/** Writes an octal field; writes zeros and returns false when the number does not fit. */
function writeOctal(block: Buffer, offset: number, length: number, value: number): boolean {
  const digits = value < 0 ? '' : value.toString(8)
  const fits = digits !== '' && digits.length < length
  block.write((fits ? digits : '0').padStart(length - 1, '0'), offset, 'latin1')
  return fits
}

function writeChecksum(block: Buffer): void {
  block.write(`${headerChecksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
}

function formatPaxHeader(records: readonly [string, Buffer | string][]): Buffer {
  const content = formatPaxRecords(records)
  const block = Buffer.alloc(tarBlockBytes)
  block.write('PaxHeaders/entry', 0, 'latin1')
  writeOctal(block, 100, 8, 0o644)
  writeOctal(block, 108, 8, 0)
  writeOctal(block, 116, 8, 0)
  writeOctal(block, 124, 12, content.length)
  writeOctal(block, 136, 12, 0)
  block.write('x', 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  writeChecksum(block)
  return Buffer.concat([block, content, tarPadding(content.length)])
}
