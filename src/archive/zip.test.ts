import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32, deflateRawSync } from 'node:zlib'
import { isZip, readZip } from './zip.ts'

interface Given {
  readonly path: string
  readonly content: string
  readonly stored?: boolean
  readonly flags?: number
}

/** An archive as zip programs write it. */
function zipOf(files: readonly Given[], comment = ''): Buffer {
  const members: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const { path, content, stored = false, flags = 0 } of files) {
    const packed = stored ? Buffer.from(content) : deflateRawSync(content)
    const name = Buffer.from(path)
    const facts = Buffer.alloc(26)
    facts.writeUInt16LE(20, 0)
    facts.writeUInt16LE(flags, 2)
    facts.writeUInt16LE(stored ? 0 : 8, 4)
    facts.writeUInt32LE(crc32(content), 10)
    facts.writeUInt32LE(packed.length, 14)
    facts.writeUInt32LE(Buffer.byteLength(content), 18)
    facts.writeUInt16LE(name.length, 22)
    const entry = Buffer.alloc(46)
    entry.write('PK\x01\x02', 'latin1')
    facts.copy(entry, 6)
    entry.writeUInt32LE(offset, 42)
    directory.push(entry, name)
    const member = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), facts, name, packed])
    members.push(member)
    offset += member.length
  }
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(files.length, 10)
  end.writeUInt32LE(offset, 16)
  end.writeUInt16LE(comment.length, 20)
  return Buffer.concat([...members, ...directory, end, Buffer.from(comment)])
}

const files: readonly Given[] = [
  { path: 'meta.json', content: '{"Name":"a"}' },
  { path: 'tls/', content: '', stored: true },
  { path: 'tls/ca.pem', content: 'x'.repeat(5000) },
  { path: 'plain', content: 'as it is', stored: true },
]
const maxMemberBytes = 10_000

test('readZip() returns the wanted members', () => {
  const archive = zipOf(files, 'a comment')
  assert.ok(isZip(archive))
  assert.ok(isZip(zipOf([])))
  assert.ok(!isZip(Buffer.from('meta.json\0\0')))
  const found = readZip(archive, { maxMemberBytes }).map(({ path, content }) => [path, content.toString()])
  assert.deepEqual(
    found,
    files.map(({ path, content }) => [path, content]),
  )
  const some = readZip(archive, { wanted: (path) => path === 'plain', maxMemberBytes })
  assert.deepEqual(
    some.map(({ path }) => path),
    ['plain'],
  )
  assert.deepEqual(readZip(zipOf([]), { maxMemberBytes }), [])
})

test('readZip() refuses damaged, too large and encrypted members', () => {
  const archive = zipOf(files)
  for (let length = 0; length < archive.length; length += 7) {
    assert.throws(() => readZip(archive.subarray(0, length), { maxMemberBytes }), /not a valid zip archive/)
  }
  for (let at = 30; at < 40; at++) {
    const damaged = Buffer.from(archive)
    damaged[at + 9] = (damaged[at + 9] ?? 0) ^ 0xff
    assert.throws(() => readZip(damaged, { maxMemberBytes }), /not a valid zip archive/)
  }
  assert.throws(() => readZip(archive, { maxMemberBytes: 4999 }), /read exceeds the defined limit/)
  const secret = zipOf([{ path: 'secret', content: 'x', flags: 1 }])
  assert.throws(() => readZip(secret, { maxMemberBytes }), /the encrypted file secret cannot be read/)
  // A wrong length.
  const bomb = zipOf([{ path: 'bomb', content: 'x'.repeat(1_000_000) }])
  bomb.writeUInt32LE(10, bomb.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1')) + 24)
  assert.throws(() => readZip(bomb, { maxMemberBytes }), /bomb is damaged/)
})
