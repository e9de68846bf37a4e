/** Layers that try to harm the host, one attack per test. Each test checks the error, and that nothing outside the
 *  layer's own directory has changed. */
import assert from 'node:assert/strict'

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { applyLayer, formatTarHeader, packEntries, type TarMemberInput } from '../../../src/archive/index.ts'
import { isKind } from '../../../src/base/index.ts'
import { listXattrs } from '../../../src/sys/index.ts'

const skip = process.getuid?.() === 0 ? false : 'needs root'

interface Scene {
  /** The layer's directory. */
  readonly root: string
  /** A directory beside it that no layer may touch, with a file `secret`. */
  readonly outside: string
  unpack(members: readonly TarMemberInput[]): Promise<unknown>
}

/** Runs an attack; afterwards everything around the layer's directory must be unchanged. */
function attack(title: string, run: (scene: Scene) => Promise<void>): void {
  test(`layer: ${title}`, { skip }, async () => {
    const home = mkdtempSync('/tmp/bt-at-')
    try {
      const root = join(home, 'layers/1/fs')
      const outside = join(home, 'outside')
      mkdirSync(root, { recursive: true })
      mkdirSync(outside)
      writeFileSync(join(outside, 'secret'), 'untouched', { mode: 0o600 })
      const before = picture(home, root)
      await run({ root, outside, unpack: (members) => applyLayer(packEntries(members), root) })
      assert.equal(picture(home, root), before)
    } finally {
      rmSync(home, { recursive: true })
    }
  })
}

/** All properties of all files around the layer's directory: names, kinds, modes, owners, times, links, contents. */
function picture(home: string, root: string): string {
  const lines: string[] = []
  const visit = (path: string): void => {
    if (path === root) return
    const status = lstatSync(path, { bigint: true })
    const content = status.isFile() ? readFileSync(path, 'utf8') : ''
    const { mode, uid, gid, nlink, mtimeNs, ctimeNs } = status
    lines.push([path, mode, uid, gid, nlink, mtimeNs, ctimeNs, content].join(' '))
    if (status.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name))
  }
  visit(home)
  return lines.join('\n')
}

function file(path: string, text = 'evil'): TarMemberInput {
  return { entry: { type: 'file', path, mode: 0o666 }, body: Buffer.from(text) }
}

function symlink(path: string, linkPath: string): TarMemberInput {
  return { entry: { type: 'symlink', path, linkPath } }
}

function link(path: string, linkPath: string): TarMemberInput {
  return { entry: { type: 'link', path, linkPath } }
}

function directory(path: string, mode = 0o755): TarMemberInput {
  return { entry: { type: 'directory', path, mode } }
}

async function refused(unpacking: Promise<unknown>, pattern: RegExp): Promise<void> {
  await assert.rejects(unpacking, (error) => {
    assert.ok(isKind(error, 'invalidArgument'), String(error))
    assert.match(error.message, pattern)
    return true
  })
}

for (const path of [
  '../evil',
  'a/../../evil',
  '/../evil',
  '../../../../../../../../tmp/bt-evil',
  'a/../../1/fs/../evil',
]) {
  attack(`dot-dot entry ${path}`, async ({ unpack }) => {
    await refused(unpack([file(path)]), /leaves its root/)
    await refused(unpack([directory(path)]), /leaves its root/)
    await refused(unpack([symlink(path, 'x')]), /leaves its root/)
  })
}

attack('dot-dot that stays inside is taken', async ({ root, unpack }) => {
  await unpack([file('a/b/../../c/./d')])
  assert.equal(readFileSync(join(root, 'c/d'), 'utf8'), 'evil')
})

attack('absolute entry', async ({ root, outside, unpack }) => {
  await unpack([file(`${outside}/secret`), file('//etc//bt-evil')])
  assert.ok(existsSync(join(root, outside, 'secret')))
  assert.ok(existsSync(join(root, 'etc/bt-evil')))
  assert.equal(existsSync('/etc/bt-evil'), false)
})

attack('absolute symlink, then write through it', async ({ root, outside, unpack }) => {
  await unpack([symlink('door', outside), file('door/secret'), file('door/new')])
  assert.equal(readFileSync(join(root, outside, 'new'), 'utf8'), 'evil')
})

attack('relative symlink with dot-dots, then write through it', async ({ root, unpack }) => {
  await unpack([symlink('door', '../../../outside'), file('door/secret')])
  assert.equal(readFileSync(join(root, 'outside/secret'), 'utf8'), 'evil')
})

attack('chain of symlinks, then write through it', async ({ outside, unpack }) => {
  const members = [symlink('a', 'b'), symlink('b', 'c/d'), directory('c'), symlink('c/d', outside), file('a/secret')]
  await unpack(members)
})

attack('symlink to the root of the host, then write through it', async ({ root, unpack }) => {
  await unpack([symlink('r', '/'), file('r/bt-evil'), file('r/../../bt-evil2')].slice(0, 2))
  assert.ok(existsSync(join(root, 'bt-evil')))
  assert.equal(existsSync('/bt-evil'), false)
})

attack('symlink through /proc, then write through it', async ({ outside, unpack }) => {
  await unpack([symlink('p', '/proc/self/root'), file('p/tmp/bt-evil')])
  await unpack([symlink('q', `/proc/self/cwd/../../..${outside}`), file('q/secret')])
  assert.equal(existsSync('/tmp/bt-evil'), false)
})

attack('symlinks that point at each other', async ({ unpack }) => {
  await refused(unpack([symlink('a', 'b'), symlink('b', 'a'), file('a/x')]), /ELOOP/)
})

attack('symlink at the last name is replaced, not written through', async ({ root, outside, unpack }) => {
  await unpack([symlink('s', `${outside}/secret`), file('s')])
  assert.ok(lstatSync(join(root, 's')).isFile())
})

attack('symlink at the last name is replaced by a directory', async ({ root, outside, unpack }) => {
  await unpack([symlink('s', outside), directory('s', 0o777), file('s/secret')])
  assert.ok(lstatSync(join(root, 's')).isDirectory())
})

attack('directory is replaced by a symlink, then written through', async ({ root, outside, unpack }) => {
  await unpack([directory('d'), file('d/a'), symlink('d', outside), file('d/secret'), file('d/new')])
  assert.ok(lstatSync(join(root, 'd')).isSymbolicLink())
  assert.ok(existsSync(join(root, outside, 'new')))
})

attack('modes, owners, times and attributes do not pass a symlink', async ({ outside, unpack }) => {
  const entry = { mode: 0o4777, uid: 1234, gid: 1234, mtimeNs: 5n, xattrs: new Map([['user.evil', Buffer.from('x')]]) }
  await unpack([{ entry: { ...entry, type: 'symlink', path: 's', linkPath: `${outside}/secret` } }])
  await unpack([{ entry: { ...entry, type: 'symlink', path: 't', linkPath: outside } }, directory('x')])
})

attack('directory times are not set through a symlink that replaced it', async ({ outside, unpack }) => {
  await unpack([directory('d'), symlink('d', outside)])
})

for (const target of ['../../../outside/secret', '/../outside/secret']) {
  attack(`hard link to ${target}`, async ({ unpack }) => {
    await refused(unpack([link('l', target), file('l')]), /leaves its root/)
  })
}

attack('hard link to an absolute path', async ({ root, outside, unpack }) => {
  await refused(unpack([link('l', `${outside}/secret`), file('l')]), /not in this layer/)
  assert.equal(existsSync(join(root, 'l')), false)
})

attack('hard link through a symlink', async ({ outside, unpack }) => {
  await refused(unpack([symlink('door', outside), link('l', 'door/secret')]), /not in this layer/)
})

attack('hard link to a symlink, then write to it', async ({ root, outside, unpack }) => {
  await unpack([symlink('s', `${outside}/secret`), link('l', 's'), file('l')])
  assert.ok(lstatSync(join(root, 'l')).isFile())
})

attack('hard link to a directory', async ({ unpack }) => {
  await refused(unpack([directory('d'), link('l', 'd')]), /cannot unpack l/)
  await refused(unpack([link('m', '.')]), /not in this layer/)
})

attack('hard link to itself', async ({ root, unpack }) => {
  await unpack([file('a'), link('a', './a')])
  assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'evil')
})

attack('device node, then write to it', async ({ root, unpack }) => {
  await unpack([
    { entry: { type: 'block', path: 'disk', deviceMajor: 8, deviceMinor: 0 } },
    { entry: { type: 'char', path: 'mem', deviceMajor: 1, deviceMinor: 1 } },
    file('disk'),
    file('mem'),
  ])
  for (const name of ['disk', 'mem']) assert.ok(lstatSync(join(root, name)).isFile())
})

attack('fifo, then write to it', async ({ root, unpack }) => {
  await unpack([{ entry: { type: 'fifo', path: 'f' } }, file('f')])
  assert.ok(lstatSync(join(root, 'f')).isFile())
})

attack('device outside', async ({ outside, unpack }) => {
  const node = (path: string): TarMemberInput => ({ entry: { type: 'char', path, deviceMajor: 1, deviceMinor: 3 } })
  await refused(unpack([node('../../../outside/null')]), /leaves its root/)
  await unpack([symlink('door', outside), node('door/null')])
})

attack('whiteouts remove nothing outside', async ({ root, outside, unpack }) => {
  await refused(unpack([file('../../../outside/.wh.secret')]), /leaves its root/)
  await unpack([symlink('door', outside), file('door/.wh.secret'), file('door/.wh..wh..opq')])
  assert.ok(lstatSync(join(root, outside, 'secret')).isCharacterDevice())
})

attack('whiteouts of dot and dot-dot', async ({ root, unpack }) => {
  await unpack([file('a/.wh..'), file('a/.wh...'), file('a/.wh.'), file('.wh...'), file('.wh..wh.plnk/1.2')])
  assert.deepEqual(readdirSync(root), [])
})

attack('parent that is a file', async ({ unpack }) => {
  await refused(unpack([file('a'), file('a/b')]), /a is not a directory/)
  await refused(unpack([file('c'), symlink('d', 'c'), file('d/b')]), /d\/b/)
})

attack('entries for the root itself', async ({ root, unpack }) => {
  await unpack([directory('./', 0o750), directory('.', 0o711), directory('/', 0o701)])
  assert.equal(lstatSync(root).mode & 0o7777, 0o701)
  await refused(unpack([file('.')]), /root is not a directory/)
  await refused(unpack([symlink('/', '/etc')]), /root is not a directory/)
  assert.ok(lstatSync(root).isDirectory())
})

attack('very deep and very long names', async ({ root, unpack }) => {
  await unpack([file(`${'d/'.repeat(2000)}f`)])
  await refused(unpack([file(`${'d/'.repeat(3000)}f`)]), /too long/)
  await refused(unpack([file(`${'d/'.repeat(300_000)}f`)]), /too long/)
  await refused(unpack([file('n'.repeat(300))]), /ENAMETOOLONG/)
  await refused(unpack([symlink('s', 't/'.repeat(5000))]), /ENAMETOOLONG/)
  rmSync(join(root, 'd'), { recursive: true })
})

attack('names with a NUL', async ({ unpack }) => {
  await refused(unpack([{ entry: { type: 'file', path: `${'x'.repeat(120)}\0/../../y` } }]), /NUL/)
})

attack('a header that claims more than there is', async ({ root, unpack }) => {
  async function* archive(): AsyncIterable<Buffer> {
    yield formatTarHeader({ type: 'file', path: 'big', sizeBytes: 2 ** 31 })
    yield Buffer.alloc(4096)
  }
  await refused(applyLayer(archive(), root), /truncated/)
  assert.ok(lstatSync(join(root, 'big')).blocks < 100)
  await unpack([file('after')])
})

attack('owners that mean "unchanged"', async ({ unpack }) => {
  await refused(unpack([{ entry: { type: 'file', path: 'a', uid: 0xffff_ffff } }]), /bad owner/)
})

attack('attributes of overlayfs', async ({ root, unpack }) => {
  const xattrs = new Map(
    ['trusted.overlay.redirect', 'trusted.overlay.opaque', 'user.overlay.opaque', 'user.fine'].map((name) => [
      name,
      Buffer.from('/../../outside'),
    ]),
  )
  await unpack([{ entry: { type: 'directory', path: 'd', xattrs } }])
  assert.deepEqual(listXattrs(join(root, 'd')), ['user.fine'])
})

attack('truncated in every block', async ({ unpack, root }) => {
  const parts: Buffer[] = []
  for await (const part of packEntries([directory('d'), file('d/a', 'x'.repeat(2000)), symlink('s', '/etc')])) {
    parts.push(part)
  }
  const whole = Buffer.concat(parts)
  for (let length = 100; length < 3700; length += 512) {
    async function* source(): AsyncIterable<Buffer> {
      yield whole.subarray(0, length)
    }
    await refused(applyLayer(source(), root), /truncated/)
  }
  await unpack([file('after')])
})
