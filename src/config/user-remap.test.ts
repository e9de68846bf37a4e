import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type AccountFiles, freeSubordinateStart, parseUserRemap } from './user-remap.ts'

const files: AccountFiles = {
  passwd: 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1001::/home/alice:/bin/sh\n',
  group: 'root:x:0:\nalice:x:1001:\nstaff:x:50:\n',
  subuid: 'alice:100000:1000\n# a comment\n1000:300000:5\nroot:500000:65536\n',
  subgid: 'alice:200000:65536\nstaff:400000:10\n',
}

test('parseUserRemap() joins all ranges of a name and of its number', () => {
  const remap = parseUserRemap('alice', files)
  assert.deepEqual(remap?.mappings.uids, [
    { containerID: 0, hostID: 100_000, size: 1000 },
    { containerID: 1000, hostID: 300_000, size: 5 },
  ])
  assert.deepEqual(remap?.root, { uid: 100_000, gid: 200_000 })
})

test('parseUserRemap() accepts numbers, and a separate group', () => {
  assert.deepEqual(parseUserRemap('1000:50', files)?.root, { uid: 100_000, gid: 400_000 })
  assert.deepEqual(parseUserRemap('alice:staff', files)?.root, { uid: 100_000, gid: 400_000 })
})

test('parseUserRemap() gives undefined for root', () => {
  assert.equal(parseUserRemap('root', files), undefined)
  assert.equal(parseUserRemap('0:0', files), undefined)
})

for (const [text, message] of [
  ['', /Invalid user\/group specification/],
  ['alice:', /Invalid user\/group specification/],
  ['a:b:c', /Invalid user\/group specification/],
  ['bob', /Error during uid lookup for "bob"/],
  ['77', /Uid 77 has no entry in \/etc\/passwd/],
  ['alice:wheel', /Error during groupname lookup for "wheel"/],
  ['alice:77', /Error during gid lookup for "77"/],
  ['alice:root', /no subgid ranges found for group "root"/],
] as const) {
  test(`parseUserRemap refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseUserRemap(text, files), message)
  })
}

test('parseUserRemap() refuses invalid ranges', () => {
  for (const line of ['alice:x:5', 'alice:0:65536', 'alice:100000:0', 'alice:100000']) {
    assert.throws(() => parseUserRemap('alice', { ...files, subuid: line }), /bad range/, line)
  }
})

test('freeSubordinateStart() is behind all ranges', () => {
  assert.equal(freeSubordinateStart('', ''), 100_000)
  assert.equal(freeSubordinateStart(files.subuid, files.subgid), 565_536)
})
