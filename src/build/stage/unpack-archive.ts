/** Unpacks local archives for ADD: tar, plain or compressed, whatever the file's name. */
import { constants, createReadStream } from 'node:fs'
import { decompressUpload, TarParser, TreeWriter } from '../../archive/index.ts'
import { type AbortOptions, BerthError, isKind, notImplemented } from '../../base/index.ts'
import { closeFd, openFd } from '../../sys/index.ts'
import type { AddInstruction, CopyInstruction } from '../dockerfile/index.ts'
import { writeFiles } from '../workers/write-files.ts'
import type { WriteEntry, WriteGroup, WriteJob } from '../workers/write-job.ts'
import type { StepPlace } from './step-place.ts'

type Destination = Omit<WriteJob, 'groups'>

const blockBytes = 512

/** Unpacks the groups that are archives and gives the others. With `unpack`, fetched archives are unpacked too. */
export async function unpackArchives(
  { run }: StepPlace,
  instruction: CopyInstruction | AddInstruction,
  groups: readonly WriteGroup[],
  job: Destination,
): Promise<readonly WriteGroup[]> {
  if (instruction.kind !== 'ADD' || instruction.unpack === false) return groups
  const plain: WriteGroup[] = []
  for (const group of groups) {
    const [entry] = group.entries
    const isCandidate = !group.isDirectory && entry?.type === 'file' && entry.source?.kind !== 'text'
    if (entry !== undefined && isCandidate && (await isArchive(entry, job))) {
      await unpack(entry, job, { signal: run.host.signal })
    } else plain.push(group)
  }
  return plain
}

/** Reads the file up to its first tar header, and checks it. */
async function isArchive(entry: WriteEntry, job: Destination): Promise<boolean> {
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of await decompressUpload(bytesOf(entry, job))) {
      parts.push(chunk)
      length += chunk.length
      if (length >= blockBytes) break
    }
  } catch (error) {
    // It starts like a compressed file but is not one.
    if (isKind(error, 'invalidArgument')) return false
    throw error
  }
  return isTarHeader(Buffer.concat(parts).subarray(0, blockBytes))
}

/** Verifies the header's checksum: the sum of all bytes, with the checksum's own bytes counted as blanks. */
function isTarHeader(block: Buffer): boolean {
  if (block.length < blockBytes || block[0] === 0) return false
  const noted = Number.parseInt(
    block
      .toString('latin1', 148, 156)
      .replace(/[\0 ]+$/, '')
      .trim(),
    8,
  )
  let sum = 0
  for (const [index, byte] of block.entries()) sum += index >= 148 && index < 156 ? 0x20 : byte
  return sum === noted
}

async function unpack(entry: WriteEntry, job: Destination, { signal }: AbortOptions): Promise<void> {
  const destination = job.destination.replace(/^\/+|\/+$/g, '')
  writeFiles({ ...job, groups: [], onlyDirectory: true })
  if (job.mode !== undefined) throw notImplemented('--chmod with an archive that is unpacked')
  const rootFd = openFd(job.root, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    // Owners come from the archive, even with --chown, as in Docker.
    using writer = new TreeWriter(rootFd, { destination, owner: 'archive', shownAs: job.destination, pauses: true })
    const parser = new TarParser(writer)
    for await (const chunk of await decompressUpload(bytesOf(entry, job), { signal })) {
      if (signal?.aborted === true) throw new BerthError('cancelled', 'context canceled')
      parser.push(chunk)
      await writer.settle()
    }
    parser.end()
    writer.finish()
    await writer.settle()
  } finally {
    closeFd(rootFd)
  }
}

function bytesOf({ source }: WriteEntry, { spool }: Destination): AsyncIterable<Buffer> {
  if (source?.kind === 'path') return createReadStream(source.path)
  if (source?.kind !== 'range' || spool === undefined) throw new BerthError('internal', 'a file without bytes')
  if (source.sizeBytes === 0) return nothing()
  return createReadStream(spool, { start: source.offset, end: source.offset + source.sizeBytes - 1 })
}

async function* nothing(): AsyncIterable<Buffer> {}
