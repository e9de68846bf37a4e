import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { after, test } from 'node:test'
import { GrpcRoutes } from '../../../grpc/index.ts'
import type { ReceivedFile } from '../../context/file-stream.ts'
import { Spool } from '../../context/spool.ts'
import { FileSync } from '../gen/filesync_pb.ts'
import { ClientSession } from './client-session.ts'
import { packetType } from './fsutil.ts'
import { SyncedDirectory } from './synced-directory.ts'

const directory = mkdtempSync(join(tmpdir(), 'b-synced-'))
after(() => rmSync(directory, { recursive: true, force: true }))

interface Sent {
  readonly path: string
  readonly mode?: number
  /** The listed size. Default: the size of the content. */
  readonly size?: number
  readonly linkname?: string
  readonly content?: string
}

/** A session whose client has these files. It sends contents in two pieces each, alternating between files. */
function sessionWith(files: readonly Sent[], seen: Record<string, unknown> = {}) {
  const [ours, theirs] = duplexPair()
  const wanted = files.filter(({ content }) => content !== undefined).length
  function* pieces(numbers: readonly number[], part: (content: string) => string) {
    for (const id of numbers) {
      const data = Buffer.from(part(files[id]?.content ?? ''))
      if (data.length > 0) yield { type: packetType.data, id, data }
    }
  }
  const routes = new GrpcRoutes().add(FileSync, {
    async *diffCopy(packets, { metadata }) {
      Object.assign(seen, metadata)
      for (const { path, mode = 0o644, size, linkname = '', content = '' } of files) {
        const stat = { path, mode, size: BigInt(size ?? content.length), modTime: 1_500_000_001n, linkname }
        yield { type: packetType.stat, stat }
      }
      yield { type: packetType.stat }
      const asked: number[] = []
      for await (const { type, id } of packets) {
        if (type === packetType.end) {
          yield { type: packetType.end }
          return
        }
        asked.push(id)
        if (asked.length < wanted) continue
        yield* pieces(asked, (content) => content.slice(0, 2))
        yield* pieces(asked, (content) => content.slice(2))
        for (const one of asked) yield { type: packetType.data, id: one }
      }
    },
  })
  void routes.serve(theirs)
  return new ClientSession(ours, { id: 'x', sharedKey: '', methods: ['/moby.filesync.v1.FileSync/DiffCopy'] })
}

function open(session: ClientSession, excludes: readonly string[] = []) {
  return new SyncedDirectory(session, 'context', { excludes, signal: new AbortController().signal, onBytes: () => {} })
}

test('SyncedDirectory fetches interleaved contents, files that have grown, and hard links', async () => {
  const seen: Record<string, unknown> = {}
  const session = sessionWith(
    [
      { path: 'a', content: 'first' },
      { path: 'b', size: 3, content: 'longer than listed' },
      { path: 'd', mode: 2 ** 31 + 0o755 + 2 ** 20 },
      { path: 'l', mode: 2 ** 27 + 0o777, linkname: 'a' },
      { path: 's', mode: 2 ** 23 + 0o755, size: 0, linkname: 'a', content: 'first' },
    ],
    seen,
  )
  const files = open(session, ['one', 'zwölf'])
  const listed = await Array.fromAsync(files.walk({ roots: ['a', 'b'] }))
  assert.deepEqual(
    listed.map(({ p, t, m, s, l }) => [p, t, m.toString(8), s, l]),
    [
      ['a', 'f', '644', 5, undefined],
      ['b', 'f', '644', 3, undefined],
      ['d', 'd', '1755', 0, undefined],
      ['l', 'l', '777', 0, 'a'],
      ['s', 'f', '4755', 5, undefined],
    ],
  )
  assert.deepEqual(
    [seen['dir-name'], seen['include-patterns'], seen['exclude-patterns'], seen['exclude-patterns-encoded']],
    ['context', 'a, b', 'one, zw%C3%B6lf', '1'],
  )
  using spool = new Spool(directory)
  const got = new Map<string, ReceivedFile>()
  await files.fetch(['a', 'b', 's'], spool, (path, file) => void got.set(path, file))
  const texts = [...got].map(([path, { offset, sizeBytes }]) => [path, spool.read(offset, sizeBytes).toString()])
  assert.deepEqual(texts.sort(), [
    ['a', 'first'],
    ['b', 'longer than listed'],
    ['s', 'first'],
  ])
  await files.close()
  session.client.close()
})

test('SyncedDirectory reports a file that the client cannot read, and a client that disconnects', async () => {
  const session = sessionWith([{ path: 'secret', size: 7, content: '' }])
  const files = open(session)
  await Array.fromAsync(files.walk({ roots: ['.'] }))
  using spool = new Spool(directory)
  await assert.rejects(
    files.fetch(['secret'], spool, () => {}),
    /the client can't read secret/,
  )
  const other = open(session)
  const walking = other.walk({ roots: ['.'] })
  await walking.next()
  session.client.close()
  await assert.rejects(Array.fromAsync(other.walk({ roots: ['.'] })), /the client closed its session/)
})
