/** Combines a raw header block with PAX records and GNU long names into a TarEntry. */
import { type PaxRecord, parsePaxInteger, parsePaxPath, parsePaxTime } from './pax.ts'
import { parsePaxRuns } from './sparse.ts'
import type { SparseRun, TarEntry, TarEntryType } from './tar-entry.ts'
import { tarError } from './tar-error.ts'
import type { RawHeader } from './tar-header.ts'

/** Extensions that precede a header and override its fields. */
export interface HeaderExtensions {
  /** Global records first, then those of the entry: later ones win. */
  readonly records: readonly PaxRecord[]
  readonly longPath: string | undefined
  readonly longLinkPath: string | undefined
}

/** An entry, and how its content is stored. */
export interface DecodedEntry {
  readonly entry: TarEntry
  readonly storedBytes: number
  /** The content begins with a sparse map (PAX sparse 1.0), which the parser must read first. */
  readonly hasContentMap: boolean
}

/** Decodes a header. Undefined for kinds that are not files (a volume label). */
export function decodeEntry(raw: RawHeader, extensions: HeaderExtensions): DecodedEntry | undefined {
  const facts = applyRecords(raw, extensions)
  const type = entryType(raw.typeFlag, facts.path)
  if (type === undefined) return undefined
  // Only files have content; some writers set a size in other headers.
  const storedBytes = type === 'file' ? facts.sizeBytes : 0
  if (storedBytes < 0) throw tarError(`negative size of ${facts.path}`)
  const runs = type === 'file' ? facts.runs : undefined
  return {
    entry: {
      type,
      path: facts.path,
      linkPath: type === 'link' || type === 'symlink' ? facts.linkPath : '',
      mode: raw.mode & 0o7777,
      uid: facts.uid,
      gid: facts.gid,
      sizeBytes: type === 'file' ? (facts.realBytes ?? storedBytes) : 0,
      mtimeNs: facts.mtimeNs,
      deviceMajor: raw.deviceMajor,
      deviceMinor: raw.deviceMinor,
      ...(facts.xattrs.size > 0 ? { xattrs: facts.xattrs } : {}),
      ...(runs === undefined ? {} : { sparse: runs }),
    },
    storedBytes,
    hasContentMap: facts.hasContentMap && type === 'file',
  }
}

interface Facts {
  path: string
  linkPath: string
  uid: number
  gid: number
  sizeBytes: number
  mtimeNs: bigint
  realBytes: number | undefined
  runs: readonly SparseRun[] | undefined
  hasContentMap: boolean
  readonly xattrs: Map<string, Buffer>
}

function applyRecords(raw: RawHeader, { records, longPath, longLinkPath }: HeaderExtensions): Facts {
  const facts: Facts = {
    path: longPath ?? raw.path,
    linkPath: longLinkPath ?? raw.linkPath,
    uid: raw.uid,
    gid: raw.gid,
    sizeBytes: raw.sizeBytes,
    mtimeNs: BigInt(raw.mtimeSeconds) * 1_000_000_000n,
    realBytes: undefined,
    runs: undefined,
    hasContentMap: false,
    xattrs: new Map(),
  }
  if (records.length === 0) return facts
  for (const record of records) {
    const apply = recordEffects[record.key]
    if (apply !== undefined) apply(facts, record)
    else applyXattr(facts, record)
  }
  applySparse(facts, records)
  return facts
}

type Effect = (facts: Facts, record: PaxRecord) => void

/** The effect of each known record. As the standard says, an empty value cancels earlier ones. */
const recordEffects: Readonly<Record<string, Effect>> = {
  path: (facts, { key, value }) => {
    if (value.length > 0) facts.path = parsePaxPath(value, key)
  },
  linkpath: (facts, { key, value }) => {
    if (value.length > 0) facts.linkPath = parsePaxPath(value, key)
  },
  uid: (facts, { key, value }) => {
    if (value.length > 0) facts.uid = parsePaxInteger(value, key)
  },
  gid: (facts, { key, value }) => {
    if (value.length > 0) facts.gid = parsePaxInteger(value, key)
  },
  size: (facts, { key, value }) => {
    if (value.length > 0) facts.sizeBytes = parsePaxInteger(value, key)
  },
  mtime: (facts, { key, value }) => {
    if (value.length > 0) facts.mtimeNs = parsePaxTime(value, key)
  },
}

const xattrPrefixes = ['SCHILY.xattr.', 'LIBARCHIVE.xattr.'] as const

function applyXattr(facts: Facts, { key, value }: PaxRecord): void {
  if (key.startsWith(xattrPrefixes[0])) {
    facts.xattrs.set(key.slice(xattrPrefixes[0].length), value)
  } else if (key.startsWith(xattrPrefixes[1])) {
    // libarchive encodes the value in base64 and the name like a URL. If SCHILY's record is there, its exact bytes
    // win.
    const name = unescapeName(key.slice(xattrPrefixes[1].length))
    if (!facts.xattrs.has(name)) facts.xattrs.set(name, Buffer.from(value.toString('latin1'), 'base64'))
  }
}

function unescapeName(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

function applySparse(facts: Facts, records: readonly PaxRecord[]): void {
  if (!records.some(({ key }) => key.startsWith('GNU.sparse.'))) return
  const last = (key: string): Buffer | undefined => records.findLast((record) => record.key === key)?.value
  const name = last('GNU.sparse.name')
  if (name !== undefined) facts.path = parsePaxPath(name, 'GNU.sparse.name')
  const size = last('GNU.sparse.realsize') ?? last('GNU.sparse.size')
  if (size !== undefined) facts.realBytes = parsePaxInteger(size, 'GNU.sparse.realsize')
  facts.hasContentMap = last('GNU.sparse.major')?.toString('latin1') === '1'
  if (!facts.hasContentMap) facts.runs = parsePaxRuns(records)
}

function entryType(typeFlag: string, path: string): TarEntryType | undefined {
  const type = typesByFlag[typeFlag]
  if (type === null) return undefined
  if (type === undefined) throw tarError(`unknown kind of entry '${typeFlag}' (${path})`)
  // Before USTAR, a directory was a file whose name ended with a slash.
  return type === 'file' && typeFlag !== 'S' && path.endsWith('/') ? 'directory' : type
}

const typesByFlag: Readonly<Record<string, TarEntryType | null | undefined>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  V: null,
}
