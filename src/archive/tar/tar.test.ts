import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isKind } from '../../base/index.ts'
import { formatPaxRecords } from './pax.ts'
import type { TarEntry } from './tar-entry.ts'
import { headerChecksum, parseHeader, parseNumber } from './tar-header.ts'
import { TarParser } from './tar-parser.ts'
import { readTar } from './tar-reader.ts'
import { formatTarHeader, packEntries, type TarMemberInput, tarEnd, tarPadding } from './tar-writer.ts'

const directory = mkdtempSync(join(tmpdir(), 'bt-tar-'))
after(() => rmSync(directory, { recursive: true, force: true }))

interface Read {
  readonly entry: TarEntry
  readonly content: Buffer
}

/** Reads an archive in pieces of `step` bytes. */
async function read(archive: Buffer, step = archive.length): Promise<Read[]> {
  const found: Read[] = []
  for await (const { entry, body } of readTar(pieces(archive, step))) {
    const parts: Buffer[] = []
    for await (const piece of body) parts.push(piece)
    found.push({ entry, content: Buffer.concat(parts) })
  }
  return found
}

async function* pieces(archive: Buffer, step: number): AsyncIterable<Buffer> {
  for (let at = 0; at < archive.length; at += step) yield archive.subarray(at, at + step)
}

async function pack(members: readonly TarMemberInput[]): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of packEntries(members)) parts.push(part)
  return Buffer.concat(parts)
}

/** Makes an archive with GNU tar from a small tree. */
function gnuTar(...args: string[]): Buffer {
  return execFileSync('tar', ['-C', directory, '-c', ...args], { maxBuffer: 1 << 28 })
}

function editHeader(header: Buffer, edit: (block: Buffer) => void): Buffer {
  const block = Buffer.from(header)
  edit(block)
  block.write(`${headerChecksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return block
}

const samples: readonly TarMemberInput[] = [
  { entry: { type: 'directory', path: 'etc/', mode: 0o1777, mtimeNs: 1_600_000_000_123_456_789n } },
  { entry: { type: 'file', path: 'etc/hosts', mode: 0o4755, uid: 1000, gid: 5 }, body: Buffer.from('127.0.0.1 x\n') },
  { entry: { type: 'file', path: 'empty', uid: 3_000_000_000, mtimeNs: -1_500_000_000n }, body: Buffer.alloc(0) },
  { entry: { type: 'file', path: `${'d'.repeat(90)}/${'f'.repeat(90)}` }, body: Buffer.alloc(512, 1) },
  { entry: { type: 'file', path: 'x'.repeat(255) }, body: Buffer.alloc(513, 2) },
  { entry: { type: 'symlink', path: 'l', linkPath: '/t/'.repeat(60) } },
  { entry: { type: 'link', path: 'naïve-名', linkPath: 'etc/hosts' } },
  { entry: { type: 'char', path: 'null', deviceMajor: 1, deviceMinor: 3 } },
  { entry: { type: 'block', path: 'sda', deviceMajor: 8, deviceMinor: 300_000 } },
  { entry: { type: 'fifo', path: 'pipe' } },
  {
    entry: {
      type: 'file',
      path: 'bin/ping',
      xattrs: new Map([
        ['user.note', Buffer.from('a=b\n\0c')],
        ['security.capability', Buffer.from([1, 0, 0, 2, 0, 255])],
      ]),
    },
    body: Buffer.from('elf'),
  },
]

for (const step of [1, 7, 511, 512, 513, 100_000]) {
  test(`readTar() reads back what packEntries() wrote, in pieces of ${step}`, async () => {
    const found = await read(await pack(samples), step)
    assert.equal(found.length, samples.length)
    for (const [index, { entry, content }] of found.entries()) {
      const sample = samples[index]
      const body = Buffer.isBuffer(sample?.body) ? sample.body : Buffer.alloc(0)
      assert.deepEqual(content, body)
      assert.partialDeepStrictEqual(entry, { ...sample?.entry, sizeBytes: body.length })
    }
  })
}

test('packEntries() is read by GNU tar', async () => {
  const archive = await pack(samples)
  const listing = execFileSync('tar', ['-tv', '--numeric-owner'], { input: archive }).toString()
  assert.match(listing, /-rwsr-xr-x 1000\/5 +12 .* etc\/hosts/)
  assert.match(listing, /3000000000\/0/)
  assert.match(listing, new RegExp(`${'d'.repeat(90)}/${'f'.repeat(90)}`))
  assert.match(listing, /brw-r--r-- .* 8,300000/)
})

for (const format of ['v7', 'ustar', 'oldgnu', 'gnu', 'posix']) {
  test(`readTar() reads GNU tar's ${format} archives`, async () => {
    const tree = join(directory, format)
    mkdirSync(join(tree, 'sub'), { recursive: true })
    writeFileSync(join(tree, 'sub/a'), 'hello')
    symlinkSync('sub/a', join(tree, 'link'))
    linkSync(join(tree, 'sub/a'), join(tree, 'sub/b'))
    const long = `${'n'.repeat(60)}/${'m'.repeat(format === 'v7' ? 20 : 60)}`
    mkdirSync(join(tree, 'n'.repeat(60)))
    writeFileSync(join(tree, long), 'long')
    const found = await read(gnuTar(`--format=${format}`, '--sort=name', format), 1000)
    const byPath = new Map(found.map((each) => [each.entry.path, each]))
    assert.equal(byPath.get(`${format}/sub/`)?.entry.type, 'directory')
    assert.equal(byPath.get(`${format}/sub/a`)?.content.toString(), 'hello')
    assert.equal(byPath.get(`${format}/${long}`)?.content.toString(), 'long')
    assert.partialDeepStrictEqual(byPath.get(`${format}/sub/b`)?.entry, { type: 'link', linkPath: `${format}/sub/a` })
    assert.partialDeepStrictEqual(byPath.get(`${format}/link`)?.entry, { type: 'symlink', linkPath: 'sub/a' })
  })
}

test('readTar() reads GNU long names and links over 100 bytes', async () => {
  const name = 'k'.repeat(200)
  symlinkSync('t'.repeat(300), join(directory, name))
  const [found] = await read(gnuTar('--format=gnu', name))
  assert.partialDeepStrictEqual(found?.entry, { path: name, linkPath: 't'.repeat(300) })
})

for (const kind of ['oldgnu', '0.0', '0.1', '1.0']) {
  test(`readTar() reads sparse files in form ${kind}`, async () => {
    const name = `sparse-${kind}`
    const fd = openSync(join(directory, name), 'w')
    // More runs than fit an old GNU header and one extension block, and a hole at the end.
    for (let run = 0; run < 40; run += 1) writeSync(fd, Buffer.alloc(4096, run + 1), 0, 4096, run * 65_536)
    ftruncateSync(fd, 4_000_000)
    closeSync(fd)
    const form = kind === 'oldgnu' ? ['--format=oldgnu'] : ['--format=posix', `--sparse-version=${kind}`]
    const archive = gnuTar('-S', ...form, name)
    assert.ok(archive.length < 1_000_000)
    for (const step of [archive.length, 700]) {
      const [found] = await read(archive, step)
      assert.equal(found?.entry.path, name)
      assert.equal(found?.entry.sizeBytes, 4_000_000)
      assert.ok((found?.entry.sparse?.length ?? 0) >= 40)
      assert.ok(found?.content.equals(readFileSync(join(directory, name))))
    }
  })
}

test('readTar() skips a body that the caller does not read', async () => {
  const paths: string[] = []
  for await (const { entry } of readTar(pieces(await pack(samples), 1000))) paths.push(entry.path)
  assert.equal(paths.length, samples.length)
})

test('readTar() applies global headers until an own record overrides them', async () => {
  const content = formatPaxRecords([
    ['comment', 'abc'],
    ['mtime', '12.5'],
  ])
  const global = editHeader(formatTarHeader({ type: 'file', path: 'g', sizeBytes: content.length }), (block) => {
    block.write('g', 156, 'latin1')
  })
  const archive = Buffer.concat([
    global,
    content,
    tarPadding(content.length),
    formatTarHeader({ type: 'file', path: 'a' }),
    formatTarHeader({ type: 'file', path: 'b', mtimeNs: 7_000_000_001n }),
    tarEnd,
  ])
  const found = await read(archive)
  assert.deepEqual(
    found.map(({ entry }) => entry.mtimeNs),
    [12_500_000_000n, 7_000_000_001n],
  )
})

test('readTar() reads xattrs as libarchive writes them', async () => {
  const content = formatPaxRecords([['LIBARCHIVE.xattr.user.a%20b', Buffer.from('value\0').toString('base64')]])
  const pax = editHeader(formatTarHeader({ type: 'file', path: 'x', sizeBytes: content.length }), (block) => {
    block.write('x', 156, 'latin1')
  })
  const file = formatTarHeader({ type: 'file', path: 'f' })
  const [found] = await read(Buffer.concat([pax, content, tarPadding(content.length), file]))
  assert.deepEqual(found?.entry.xattrs, new Map([['user.a b', Buffer.from('value\0')]]))
})

test('readTar() keeps names that are not UTF-8', async () => {
  const header = editHeader(formatTarHeader({ type: 'file', path: 'abc' }), (block) => {
    block[1] = 0xe9
  })
  const [found] = await read(Buffer.concat([header, tarEnd]))
  assert.equal(found?.entry.path, 'a\udce9c')
  const [again] = await read(await pack([{ entry: { type: 'file', path: 'a\udce9c' } }]))
  assert.equal(again?.entry.path, 'a\udce9c')
})

test('parseNumber() reads octal and base-256', () => {
  const block = Buffer.alloc(12)
  block.write('0000644\0', 'latin1')
  assert.equal(parseNumber(block, 0, 8), 0o644)
  block.fill(0)
  block[0] = 0x80
  block.writeUInt32BE(2, 4)
  assert.equal(parseNumber(block, 0, 12), 2 * 2 ** 32)
  block.fill(0xff)
  assert.equal(parseNumber(block, 0, 12), -1)
  block[0] = 0x80
  assert.throws(() => parseNumber(block, 0, 12), /too large/)
})

test('parseHeader() refuses a wrong checksum and takes a signed one', () => {
  const block = Buffer.from(formatTarHeader({ type: 'file', path: 'a' }))
  block[0] = 0x62
  assert.throws(() => parseHeader(block), /checksum/)
  const high = editHeader(block, (each) => {
    each[0] = 0xe9
  })
  high.write(`${(headerChecksum(high) - 256).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  assert.equal(parseHeader(high)?.path, '\udce9')
})

/** Checks that a damaged archive gives a clear error, whatever the size of its chunks. */
async function assertInvalid(archive: Buffer, pattern: RegExp): Promise<void> {
  for (const step of [archive.length, 100]) {
    await assert.rejects(read(archive, step), (error) => {
      assert.ok(isKind(error, 'invalidArgument'))
      assert.match(error.message, pattern)
      return true
    })
  }
}

test('readTar() refuses truncated archives', async () => {
  const archive = await pack([{ entry: { type: 'file', path: 'a' }, body: Buffer.alloc(1000) }])
  for (const length of [100, 512, 1000, 1512, 1535]) await assertInvalid(archive.subarray(0, length), /truncated/)
})

test('readTar() takes an archive without end mark', async () => {
  const archive = await pack([{ entry: { type: 'file', path: 'a' }, body: Buffer.alloc(1000) }])
  assert.equal((await read(archive.subarray(0, 1536))).length, 1)
})

test('readTar() refuses an extended header that claims 2 GB', async () => {
  for (const flag of ['x', 'g', 'L', 'K']) {
    const header = editHeader(formatTarHeader({ type: 'file', path: 'x', sizeBytes: 2 ** 31 }), (block) => {
      block.write(flag, 156, 'latin1')
    })
    await assertInvalid(header, /claims 2147483648 bytes/)
  }
})

test('readTar() refuses malformed extended records', async () => {
  for (const content of ['5 a=\n9', '999 a=b\n', '0 a=b\n', 'x a=b\n', '6 ab\n\n', '18 path=a\0bcdefghi\n']) {
    const pax = editHeader(formatTarHeader({ type: 'file', path: 'x', sizeBytes: content.length }), (block) => {
      block.write('x', 156, 'latin1')
    })
    const file = formatTarHeader({ type: 'file', path: 'f' })
    await assertInvalid(Buffer.concat([pax, Buffer.from(content), tarPadding(content.length), file, tarEnd]), /header/)
  }
})

test('readTar() refuses wrong sparse maps', async () => {
  for (const [map, stored] of [
    ['0,10,5,10', 20],
    ['0,10', 20],
    ['90,20', 20],
    ['0', 20],
    ['0,99999999999999999999', 20],
  ] as const) {
    const content = formatPaxRecords([
      ['GNU.sparse.size', '100'],
      ['GNU.sparse.map', map],
    ])
    const pax = editHeader(formatTarHeader({ type: 'file', path: 'x', sizeBytes: content.length }), (block) => {
      block.write('x', 156, 'latin1')
    })
    const file = formatTarHeader({ type: 'file', path: 'f', sizeBytes: stored })
    const archive = Buffer.concat([pax, content, tarPadding(content.length), file, Buffer.alloc(512), tarEnd])
    await assertInvalid(archive, /sparse map/)
  }
})

test('TarParser survives random damage', async () => {
  const archive = await pack(samples)
  let seed = 42
  const random = (limit: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) & 0x7fffffff
    return seed % limit
  }
  for (let round = 0; round < 2000; round += 1) {
    const damaged = Buffer.from(archive)
    for (let count = 0; count < 3; count += 1) damaged[random(damaged.length)] = random(256)
    const parser = new TarParser({ entry() {}, data() {}, endEntry() {} })
    try {
      parser.push(damaged)
      parser.end()
    } catch (error) {
      assert.ok(isKind(error, 'invalidArgument'))
    }
  }
})
