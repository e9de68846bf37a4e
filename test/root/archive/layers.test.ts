/** Layers as real files: what unpacking creates, what overlayfs shows, and the way back to a tar archive. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  applyLayer,
  LayerUnpacker,
  packDirectory,
  packEntries,
  readTar,
  type TarEntry,
  type TarMemberInput,
} from '../../../src/archive/index.ts'
import { getXattr, mount, setXattr, unmount } from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

function layerTest(title: string, run: (home: string) => Promise<void>): void {
  test(`layer: ${title}`, { skip }, async () => {
    const home = mkdtempSync('/tmp/bt-ar-')
    try {
      await run(home)
    } finally {
      rmSync(home, { recursive: true })
    }
  })
}

async function collect(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

async function* one(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}

function file(path: string, text = path): TarMemberInput {
  return { entry: { type: 'file', path }, body: Buffer.from(text) }
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

function makeRoot(home: string, name: string): string {
  const root = join(home, name)
  mkdirSync(root)
  return root
}

const capability = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
const time = 1_600_000_000_123_456_789n

layerTest('owners, modes, times, attributes, kinds', async (home) => {
  const root = makeRoot(home, 'fs')
  const common = { uid: 1000, gid: 2000, mtimeNs: time }
  await applyLayer(
    packEntries([
      { entry: { type: 'directory', path: 'd/', mode: 0o2775, ...common } },
      { entry: { type: 'file', path: 'd/setuid', mode: 0o6755, ...common }, body: Buffer.from('x') },
      { entry: { type: 'file', path: 'd/secret', mode: 0, ...common }, body: Buffer.from('y') },
      { entry: { type: 'file', path: 'd/all', mode: 0o777, uid: 0, gid: 0, mtimeNs: -1n }, body: Buffer.alloc(0) },
      { entry: { type: 'symlink', path: 'd/link', linkPath: '/etc/../x', ...common } },
      { entry: { type: 'link', path: 'hard', linkPath: '/d/setuid' } },
      { entry: { type: 'fifo', path: 'fifo', mode: 0o622, ...common } },
      { entry: { type: 'char', path: 'null', mode: 0o666, deviceMajor: 1, deviceMinor: 3, ...common } },
      { entry: { type: 'block', path: 'disk', mode: 0o660, deviceMajor: 259, deviceMinor: 300_000, ...common } },
      {
        entry: {
          type: 'file',
          path: 'ping',
          mode: 0o755,
          uid: 5,
          xattrs: new Map([
            ['security.capability', capability],
            ['user.note', Buffer.from('a\0b')],
          ]),
        },
        body: Buffer.from('elf'),
      },
      { entry: { type: 'directory', path: 'tmp', mode: 0o1777, mtimeNs: time } },
      file('tmp/after'),
    ]),
    root,
  )
  const facts = (name: string): unknown[] => {
    const { mode, uid, gid, mtimeNs } = lstatSync(join(root, name), { bigint: true })
    return [mode & 0o7777n, uid, gid, mtimeNs]
  }
  assert.deepEqual(facts('d'), [0o2775n, 1000n, 2000n, time])
  assert.deepEqual(facts('d/setuid'), [0o6755n, 1000n, 2000n, time])
  assert.deepEqual(facts('d/secret'), [0n, 1000n, 2000n, time])
  // Not the group of its setgid directory.
  assert.deepEqual(facts('d/all'), [0o777n, 0n, 0n, -1n])
  assert.deepEqual(facts('d/link').slice(1), [1000n, 2000n, time])
  assert.equal(readlinkSync(join(root, 'd/link')), '/etc/../x')
  assert.equal(statSync(join(root, 'hard')).ino, statSync(join(root, 'd/setuid')).ino)
  assert.deepEqual(facts('fifo'), [0o622n, 1000n, 2000n, time])
  assert.deepEqual(facts('null'), [0o666n, 1000n, 2000n, time])
  assert.deepEqual(facts('disk'), [0o660n, 1000n, 2000n, time])
  assert.ok(lstatSync(join(root, 'fifo')).isFIFO())
  assert.match(execFileSync('stat', ['-c', '%t,%T', join(root, 'disk')]).toString(), /^103,493e0$/m)
  assert.deepEqual(getXattr(join(root, 'ping'), 'security.capability'), capability)
  assert.deepEqual(getXattr(join(root, 'ping'), 'user.note'), Buffer.from('a\0b'))
  assert.deepEqual(facts('tmp'), [0o1777n, 0n, 0n, time])
})

layerTest('digests, sizes and counts for every compression', async (home) => {
  const tar = Buffer.concat([
    await collect(packEntries([file('a', 'x'.repeat(100_000)), file('b')])),
    Buffer.alloc(9000),
  ])
  const blobs = { none: tar, gzip: gzipSync(tar), zstd: zstdCompressSync(tar) }
  for (const [compression, blob] of Object.entries(blobs)) {
    const path = join(home, compression)
    writeFileSync(path, blob)
    for (const [kind, source] of [
      ['file', path],
      ['stream', one(blob)],
    ] as const) {
      let seen = 0
      const onChunk = (chunk: Buffer): void => {
        seen += chunk.length
      }
      const applied = await applyLayer(source, makeRoot(home, `${compression}-${kind}`), { digest: true, onChunk })
      assert.deepEqual(applied, {
        diffId: sha256(tar),
        digest: sha256(blob),
        compression,
        blobBytes: blob.length,
        tarBytes: tar.length,
        sizeBytes: 100_001,
        entries: 2,
        impliedDirectories: [],
      })
      assert.equal(seen, blob.length)
    }
  }
})

layerTest('sparse files keep their holes', async (home) => {
  const source = join(home, 'sparse')
  execFileSync('truncate', ['-s', '200M', source])
  execFileSync('dd', ['if=/dev/urandom', `of=${source}`, 'bs=64k', 'count=1', 'seek=1000', 'conv=notrunc'], {
    stdio: 'ignore',
  })
  for (const form of [['--format=gnu'], ['--format=posix', '--sparse-version=0.1'], ['--format=posix']]) {
    const tar = execFileSync('tar', ['-C', home, '-cS', ...form, 'sparse'])
    const root = makeRoot(home, `fs${form.length}${form.at(-1)}`)
    const { sizeBytes } = await applyLayer(one(tar), root)
    assert.equal(sizeBytes, 200 * 1024 * 1024)
    const made = lstatSync(join(root, 'sparse'))
    assert.equal(made.size, 200 * 1024 * 1024)
    assert.ok(made.blocks < 1000)
    execFileSync('cmp', [source, join(root, 'sparse')])
  }
})

layerTest('parents that the archive leaves out', async (home) => {
  const root = makeRoot(home, 'fs')
  const { impliedDirectories } = await applyLayer(
    packEntries([
      file('a/b/c'),
      { entry: { type: 'symlink', path: 'lib', linkPath: 'usr/lib' } },
      { entry: { type: 'symlink', path: 'abs', linkPath: '/../opt/x' } },
      file('lib/x'),
      file('abs/y/z'),
      { entry: { type: 'directory', path: 'opt/' } },
    ]),
    root,
  )
  assert.deepEqual(impliedDirectories, ['a', 'a/b', 'usr', 'usr/lib', 'opt/x', 'abs/y'])
  assert.equal(lstatSync(join(root, 'a/b')).mode & 0o7777, 0o755)
  assert.equal(readFileSync(join(root, 'usr/lib/x'), 'utf8'), 'lib/x')
  assert.equal(readFileSync(join(root, 'opt/x/y/z'), 'utf8'), 'abs/y/z')
})

layerTest('later entries replace earlier ones', async (home) => {
  const root = makeRoot(home, 'fs')
  await applyLayer(
    packEntries([
      file('f', 'old and long'),
      file('f', 'new'),
      file('d/x'),
      file('d', 'now a file'),
      file('e'),
      { entry: { type: 'directory', path: 'e' } },
      file('e/y'),
      { entry: { type: 'directory', path: 'g', mode: 0o700 } },
      file('g/kept'),
      { entry: { type: 'directory', path: 'g', mode: 0o711 } },
    ]),
    root,
  )
  assert.equal(readFileSync(join(root, 'f'), 'utf8'), 'new')
  assert.equal(readFileSync(join(root, 'd'), 'utf8'), 'now a file')
  assert.equal(readFileSync(join(root, 'e/y'), 'utf8'), 'e/y')
  assert.equal(lstatSync(join(root, 'g')).mode & 0o7777, 0o711)
  assert.ok(existsSync(join(root, 'g/kept')))
})

layerTest('names that are no UTF-8 arrive byte by byte', async (home) => {
  const root = makeRoot(home, 'fs')
  await applyLayer(
    packEntries([file('d\udcff/f\udce9'), { entry: { type: 'symlink', path: 'l', linkPath: 't\udcfe' } }]),
    root,
  )
  assert.deepEqual(
    readdirSync(root, { encoding: 'buffer' })
      .map((name) => name.toString('latin1'))
      .sort(),
    ['d\xff', 'l'],
  )
  assert.equal(readlinkSync(join(root, 'l'), { encoding: 'buffer' }).toString('latin1'), 't\xfe')
  const paths: string[] = []
  for await (const { entry } of readTar(packDirectory(root))) paths.push(entry.path + entry.linkPath)
  assert.deepEqual(paths, ['d\udcff/', 'd\udcff/f\udce9', 'lt\udcfe'])
})

/** Stacks layers, given from the lowest up, and runs `look` on the mounted tree. */
async function withStack(home: string, layers: readonly string[], look: (merged: string) => void): Promise<void> {
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(home, name))
  const options = [
    `lowerdir=${layers.toReversed().join(':')}`,
    `upperdir=${join(home, 'upper')}`,
    `workdir=${join(home, 'work')}`,
  ]
  mount({ type: 'overlay', source: 'overlay', options }, join(home, 'merged'))
  try {
    look(join(home, 'merged'))
  } finally {
    unmount(join(home, 'merged'))
  }
}

layerTest('whiteouts and opaque directories hide what is below', async (home) => {
  const [base, change] = [makeRoot(home, 'base'), makeRoot(home, 'change')]
  const names = ['gone', 'kept', 'dir/gone', 'dir/kept', 'opaque/old', 'late/old', 'back/old', 'tree/x/y', 'swap/old']
  await applyLayer(packEntries(names.map((name) => file(name))), base)
  await applyLayer(
    packEntries([
      file('.wh.gone'),
      file('dir/.wh.gone'),
      { entry: { type: 'directory', path: 'opaque' } },
      file('opaque/.wh..wh..opq'),
      file('opaque/new'),
      file('late/new'),
      file('late/.wh..wh..opq'),
      // Deleted and created again in one layer, in any order: only the lower content is removed.
      file('.wh.back'),
      file('back/new'),
      file('swap/new'),
      file('.wh.swap'),
      file('.wh.tree'),
      { entry: { type: 'directory', path: 'tree', mode: 0o700 } },
      file('both', 'upper'),
      file('.wh.both'),
    ]),
    change,
  )
  await withStack(home, [base, change], (merged) => {
    const list = (name: string): string[] => readdirSync(join(merged, name)).sort()
    assert.deepEqual(list('.'), ['back', 'both', 'dir', 'kept', 'late', 'opaque', 'swap', 'tree'])
    assert.deepEqual(list('dir'), ['kept'])
    for (const name of ['opaque', 'late', 'back', 'swap']) assert.deepEqual(list(name), ['new'])
    assert.deepEqual(list('tree'), [])
    assert.equal(readFileSync(join(merged, 'both'), 'utf8'), 'upper')
  })
})

layerTest('packDirectory() of an upper directory gives the layer that repeats the changes', async (home) => {
  const base = makeRoot(home, 'base')
  await applyLayer(packEntries(['a', 'b', 'd/x', 'd/y', 'e/z'].map((name) => file(name))), base)
  let expected: string[] = []
  await withStack(home, [base], (merged) => {
    unlinkSync(join(merged, 'a'))
    unlinkSync(join(merged, 'd/x'))
    writeFileSync(join(merged, 'b'), 'changed')
    rmSync(join(merged, 'e'), { recursive: true })
    mkdirSync(join(merged, 'e'))
    writeFileSync(join(merged, 'e/new'), 'new')
    linkSync(join(merged, 'e/new'), join(merged, 'e/same'))
    expected = tree(merged)
  })
  const layer = await collect(packDirectory(join(home, 'upper'), { overlay: true }))
  const entries: TarEntry[] = []
  for await (const { entry } of readTar(one(layer))) entries.push(entry)
  assert.deepEqual(
    entries.map(({ path }) => path),
    ['.wh.a', 'b', 'd/', 'd/.wh.x', 'e/', 'e/.wh..wh..opq', 'e/new', 'e/same'],
  )
  const again = makeRoot(home, 'again')
  await applyLayer(one(layer), again)
  for (const name of ['upper', 'work', 'merged']) rmSync(join(home, name), { recursive: true })
  await withStack(home, [base, again], (merged) => assert.deepEqual(tree(merged), expected))
})

function tree(root: string): string[] {
  return execFileSync('find', ['.', '-printf', '%p %y %m %U:%G %n %s\n'], { cwd: root })
    .toString()
    .trim()
    .split('\n')
    .map((line) => line.replace(/( d .*) \d+ \d+$/, '$1'))
    .sort()
}

layerTest('packDirectory() and applyLayer() keep everything, and give the same bytes each time', async (home) => {
  const [first, second] = [makeRoot(home, 'first'), makeRoot(home, 'second')]
  await applyLayer(
    packEntries([
      { entry: { type: 'directory', path: 'd', mode: 0o1777, mtimeNs: time } },
      {
        entry: { type: 'file', path: `d/${'n'.repeat(200)}`, mode: 0o4711, uid: 7, mtimeNs: time },
        body: Buffer.alloc(700_000, 3),
      },
      { entry: { type: 'symlink', path: 's', linkPath: 'x'.repeat(150), mtimeNs: time } },
      { entry: { type: 'block', path: 'b', deviceMajor: 4000, deviceMinor: 1_000_000, mtimeNs: time } },
      { entry: { type: 'fifo', path: 'f', mtimeNs: time } },
      file('ping'),
    ]),
    first,
  )
  setXattr(join(first, 'ping'), 'security.capability', capability)
  setXattr(join(first, 'd'), 'user.dir', Buffer.from('v'))
  linkSync(join(first, 'ping'), join(first, 'pong'))
  const packed = await collect(packDirectory(first, { includeRoot: true }))
  await applyLayer(one(packed), second)
  assert.deepEqual(tree(second), tree(first))
  assert.deepEqual(await collect(packDirectory(second, { includeRoot: true })), packed)
  const some = await collect(packDirectory(first, { exclude: (path) => path === 'd' }))
  assert.doesNotMatch(some.toString('latin1'), /nnn/)
})

layerTest('packDirectory() of a tree that changes meanwhile gives an archive that can be unpacked', async (home) => {
  const [from, to] = [makeRoot(home, 'from'), makeRoot(home, 'to')]
  writeFileSync(join(from, '0'), Buffer.alloc(400_000))
  writeFileSync(join(from, 'a'), 'content')
  linkSync(join(from, 'a'), join(from, 'b'))
  linkSync(join(from, 'a'), join(from, 'c'))
  const parts: Buffer[] = []
  for await (const part of packDirectory(from)) {
    parts.push(part)
    // The names were read before this: `a` is gone by the time it is examined.
    rmSync(join(from, 'a'), { force: true })
  }
  await applyLayer(one(Buffer.concat(parts)), to)
  assert.equal(readFileSync(join(to, 'b'), 'utf8'), 'content')
  assert.equal(statSync(join(to, 'b')).ino, statSync(join(to, 'c')).ino)
  assert.ok(!existsSync(join(to, 'a')))
})

layerTest('LayerUnpacker gives all descriptors back, also after a failure', async (home) => {
  const count = (): number => readdirSync('/proc/self/fd').length
  const before = count()
  const tar = await collect(packEntries(Array.from({ length: 300 }, (_, index) => file(`d${index}/f`))))
  for (const bytes of [tar, tar.subarray(0, 100_100), Buffer.alloc(600, 1)]) {
    const root = mkdtempSync(join(home, 'fs-'))
    try {
      using unpacker = new LayerUnpacker(root)
      unpacker.write(bytes)
      unpacker.end()
    } catch {
      // Only the descriptors matter here.
    }
    assert.equal(count(), before)
  }
})
