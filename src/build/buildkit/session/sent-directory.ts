/** An output that the client writes as a directory. A tar is read and listed, and its contents are sent as the client
 *  requests them (the sending side of fsutil's protocol). Until then contents wait in a spool. */
import { readTar, type TarEntry, type TarMember } from '../../../archive/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import type { BuildByteSink } from '../../../contract/index.ts'
import type { OpenCall } from '../../../grpc/index.ts'
import { Spool } from '../../context/spool.ts'
import { FileSend, FileSync } from '../gen/filesync_pb.ts'
import type { PacketSchema } from '../gen/fsutil_pb.ts'
import { type ExportCall, exportMetadata } from './call-metadata.ts'
import type { ClientSession } from './client-session.ts'
import { goMode, packetType } from './fsutil.ts'
import { tarSink } from './tar-sink.ts'

interface Listed {
  readonly type: 'f' | 'd' | 'l'
  readonly entry: TarEntry
  readonly offset: number
  readonly sizeBytes: number
}

const pieceBytes = 32 * 1024

/** Receives a tar. `end` resolves when the client has written everything. */
export function sendDirectory(session: ClientSession, directory: string, call: ExportCall): BuildByteSink {
  return tarSink((tar) => send(session, directory, call, tar))
}

async function send(
  session: ClientSession,
  directory: string,
  call: ExportCall,
  tar: AsyncIterable<Buffer>,
): Promise<void> {
  using spool = new Spool(directory)
  const files = await list(tar, spool)
  // The service for sent directories has the same method name as the one for synced directories.
  const method = { ...FileSync.method.diffCopy, parent: FileSend }
  const sending = session.client.open(method, { metadata: exportMetadata(call), signal: call.signal })
  const answering = answer(sending, files, spool)
  // The error is reported below. It also arises when the client stops reading.
  answering.catch(() => {})
  for (const [path, { entry, type, sizeBytes }] of files) {
    const linkname = type === 'l' ? entry.linkPath : ''
    const xattrs = Object.fromEntries(entry.xattrs ?? [])
    const mode = goMode(type, entry.mode)
    const { uid, gid, mtimeNs: modTime } = entry
    const stat = { path, mode, uid, gid, size: BigInt(sizeBytes), modTime, linkname, xattrs }
    await sending.send({ type: packetType.stat, stat })
  }
  await sending.send({ type: packetType.stat })
  await answering
}

/** Sends the contents that the client requests, until it ends. */
async function answer(
  call: OpenCall<typeof PacketSchema, typeof PacketSchema>,
  files: readonly (readonly [string, Listed])[],
  spool: Spool,
): Promise<void> {
  for await (const { type, id, data } of call.messages) {
    if (type === packetType.error) throw invalidArgument(`error from receiver: ${Buffer.from(data).toString('utf8')}`)
    if (type === packetType.end) {
      await call.send({ type: packetType.end })
      call.end()
    } else if (type === packetType.request) {
      const file = files[id]?.[1]
      if (file === undefined) throw invalidArgument(`the client requested file ${id}, which does not exist`)
      for (let done = 0; done < file.sizeBytes; done += pieceBytes) {
        const piece = spool.read(file.offset + done, Math.min(pieceBytes, file.sizeBytes - done))
        await call.send({ type: packetType.data, id, data: piece })
      }
      await call.send({ type: packetType.data, id })
    }
  }
}

/** Lists the tar's entries in the order that the client expects: compared part by part of the path. */
async function list(tar: AsyncIterable<Buffer>, spool: Spool): Promise<(readonly [string, Listed])[]> {
  const files = new Map<string, Listed>()
  for await (const member of readTar(tar)) {
    const path = member.entry.path.replace(/^(?:\.?\/)+|\/+$/g, '')
    if (path === '' || path === '.') continue
    const listed = await toListed(member, spool, files)
    if (listed !== undefined) files.set(path, listed)
  }
  return [...files].sort(([a], [b]) => Buffer.compare(orderOf(a), orderOf(b)))
}

async function toListed(
  { entry, body }: TarMember,
  spool: Spool,
  files: ReadonlyMap<string, Listed>,
): Promise<Listed | undefined> {
  switch (entry.type) {
    case 'directory':
      return { type: 'd', entry, offset: 0, sizeBytes: 0 }
    case 'symlink':
      return { type: 'l', entry, offset: 0, sizeBytes: 0 }
    case 'link': {
      const target = files.get(entry.linkPath.replace(/^(?:\.?\/)+/, ''))
      return target === undefined ? undefined : { ...target, entry: { ...target.entry, path: entry.path } }
    }
    case 'file': {
      const offset = spool.reserve(entry.sizeBytes)
      let done = 0
      for await (const chunk of body) {
        spool.write(chunk, offset + done)
        done += chunk.length
      }
      return { type: 'f', entry, offset, sizeBytes: done }
    }
    default:
      // Devices and pipes are not created on the client's machine.
      return undefined
  }
}

/** A sort key in which a slash comes before every other character. */
function orderOf(path: string): Buffer {
  return Buffer.from(path.replaceAll('/', '\0'))
}
