/** SELinux labels of files. The kernel stores the attribute even without SELinux. */
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HostConfig } from '../../../src/api/index.ts'
import type { ContainerContext, ContainerMount, ContainerRecord } from '../../../src/containers/index.ts'
import { relabelMounts } from '../../../src/containers/isolation/relabel.ts'
import type { ContainerIndex } from '../../../src/containers/record/container-index.ts'
import { inheritedMounts } from '../../../src/containers/rootfs/volumes-from.ts'
import { SelinuxLabels } from '../../../src/runtime/index.ts'
import { bindMount, getXattr, mount, relabelTree, setXattr, unmount } from '../../../src/sys/index.ts'
import { runOrThrow } from '../../helpers/command.ts'

const label = 'system_u:object_r:container_file_t:s0:c1,c2'
const skip = process.getuid?.() === 0 ? false : 'needs root'

function labelOf(path: string): string | undefined {
  return getXattr(path, 'security.selinux')?.toString().replace(/\0$/, '')
}

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync('/tmp/bt-relabel-')
  try {
    await work(directory)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

test('relabelTree(): labels everything below, of all kinds, and nothing behind links', { skip }, () =>
  withDirectory(async (directory) => {
    const [tree, outside] = [join(directory, 'tree'), join(directory, 'outside')]
    mkdirSync(join(tree, 'a/b'), { recursive: true })
    mkdirSync(outside)
    const before = labelOf(outside)
    writeFileSync(join(tree, 'a/b/file'), '')
    writeFileSync(join(outside, 'file'), '')
    symlinkSync(outside, join(tree, 'link'))
    symlinkSync('/no/such', join(tree, 'dangling'))
    execFileSync('mkfifo', [join(tree, 'fifo')])
    await runOrThrow('mknod', [join(tree, 'null'), 'c', '1', '3'])
    const odd = Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0xe9, 0x0a])])
    mkdirSync(odd)
    writeFileSync(Buffer.concat([odd, Buffer.from('/inside')]), '')
    linkSync(join(tree, 'a/b/file'), join(tree, 'second'))
    await relabelTree(tree, label)
    for (const name of ['', 'a', 'a/b', 'a/b/file', 'fifo', 'null', 'second', 'link', 'dangling']) {
      assert.equal(labelOf(join(tree, name)), label, name)
    }
    for (const path of [odd, Buffer.concat([odd, Buffer.from('/inside')])]) {
      const fd = openSync(path, 'r')
      assert.equal(getXattr(fd, 'security.selinux')?.toString(), label, path.toString('latin1'))
      closeSync(fd)
    }
    assert.equal(labelOf(outside), before)
    assert.equal(labelOf(join(outside, 'file')), before)
    const one = join(outside, 'file')
    await relabelTree(one, label)
    assert.equal(labelOf(one), label)
    assert.equal(labelOf(outside), before)
  }),
)

test('relabelTree(): a read-only tree must already have the label', { skip }, () =>
  withDirectory(async (directory) => {
    const [tree, shown] = [join(directory, 'tree'), join(directory, 'shown')]
    for (const path of [tree, shown]) mkdirSync(path)
    writeFileSync(join(tree, 'file'), '')
    setXattr(tree, 'security.selinux', Buffer.from(`${label}\0`))
    bindMount(tree, shown, { readOnly: true })
    try {
      await assert.rejects(relabelTree(shown, label), { code: 'EROFS', path: join(shown, 'file') })
      await relabelTree(tree, label)
      await relabelTree(shown, label)
    } finally {
      unmount(shown)
    }
  }),
)

test('relabelTree(): skips file systems without labels, but not what is mounted below them', { skip }, () =>
  withDirectory(async (directory) => {
    await relabelTree('/proc/self/fdinfo', label)
    const below = join(directory, 'below')
    mkdirSync(below)
    mount({ type: 'tmpfs', source: 'tmpfs', options: [] }, below)
    try {
      writeFileSync(join(below, 'file'), '')
      await relabelTree(directory, label)
      assert.equal(labelOf(join(below, 'file')), label)
    } finally {
      unmount(below)
    }
  }),
)

test('relabelTree(): a directory that is swapped for a link meanwhile leads nowhere outside', { skip }, () =>
  withDirectory(async (directory) => {
    const [tree, outside] = [join(directory, 'tree'), join(directory, 'outside')]
    mkdirSync(outside)
    writeFileSync(join(outside, 'victim'), '')
    const before = [labelOf(outside), labelOf(join(outside, 'victim'))]
    for (let number = 0; number < 50; number += 1) {
      mkdirSync(join(tree, `${number}`), { recursive: true })
      writeFileSync(join(tree, `${number}/victim`), '')
    }
    const swaps = join(directory, 'swaps')
    const script = `import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
      for (let count = 0; ; count += 1) {
        const place = '${tree}/' + (count % 50)
        renameSync(place, place + '.away')
        symlinkSync('${outside}', place)
        rmSync(place)
        renameSync(place + '.away', place)
        if (count === 200) writeFileSync('${swaps}', '')
      }`
    const attacker = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' })
    const ended = new Promise((resolve) => attacker.once('exit', resolve))
    try {
      let rounds = 0
      for (let busy = false; !busy || rounds < 300; rounds += 1) {
        await relabelTree(tree, `${label}${rounds}`)
        busy ||= isThere(swaps)
      }
    } finally {
      attacker.kill('SIGKILL')
      await ended
    }
    assert.deepEqual([labelOf(outside), labelOf(join(outside, 'victim'))], before)
  }),
)

const shared = 'system_u:object_r:container_file_t:s0'

async function relabelled(mounts: readonly Partial<ContainerMount>[], hostConfig: HostConfig = {}): Promise<void> {
  const common = { destination: '/x', readOnly: false, mode: '', propagation: '' }
  const labels = { process: 'system_u:system_r:container_t:s0:c1,c2', mount: label }
  const record = { hostConfig, labels, mounts: mounts.map((one) => ({ ...common, ...one })) }
  const context = {
    labels: SelinuxLabels.of({ contexts: { process: shared, file: shared }, knows: () => true }),
  }
  await relabelMounts(context as unknown as ContainerContext, record as unknown as ContainerRecord)
}

test('relabelMounts(): z labels for all containers, Z for one; volumes without a mode for all', { skip }, () =>
  withDirectory(async (directory) => {
    const cases = [
      [{ type: 'bind', mode: 'z' }, shared],
      [{ type: 'bind', mode: 'ro,Z' }, label],
      [{ type: 'bind', mode: '' }, undefined],
      [{ type: 'bind', mode: 'rslave' }, undefined],
      [{ type: 'volume', mode: 'z' }, shared],
      [{ type: 'volume', mode: 'ro,Z' }, label],
      [{ type: 'volume', mode: '', anonymous: true }, shared],
      [{ type: 'volume', mode: '' }, undefined],
      [{ type: 'image', mode: 'z' }, undefined],
    ] as const
    for (const [index, [mount, expected]] of cases.entries()) {
      const source = join(directory, `${index}`)
      mkdirSync(source)
      const before = labelOf(source)
      writeFileSync(join(source, 'file'), '')
      await relabelled([{ ...mount, source }])
      assert.equal(labelOf(source), expected ?? before, JSON.stringify(mount))
      assert.equal(labelOf(join(source, 'file')), expected ?? before, JSON.stringify(mount))
    }
    // Without confinement the files still get the label of the container's mounts.
    const source = join(directory, '0')
    await relabelled([{ type: 'bind', mode: 'Z', source }], { Privileged: true })
    assert.equal(labelOf(source), label)
  }),
)

test('relabelMounts(): --volumes-from with z or Z labels its mounts, and without labels nothing', { skip }, () =>
  withDirectory(async (directory) => {
    for (const [option, expected] of [
      ['', undefined],
      [':ro', undefined],
      [':z', shared],
      [':ro,Z', label],
      [':Z,rw', label],
    ] as const) {
      const source = join(directory, `from${option}`)
      mkdirSync(source)
      const before = labelOf(source)
      // The donor's own mode stays.
      const mounts = [{ type: 'bind', source, destination: '/x', mode: 'z', readOnly: false, propagation: '' }]
      const donors = { get: () => ({ mounts }) } as unknown as ContainerIndex
      const inherited = inheritedMounts(donors, [`donor${option}`])
      await relabelled([...inherited])
      assert.equal(labelOf(source), expected ?? before, option)
      assert.equal(inherited[0]?.mode, '', 'as Docker shows it')
      assert.equal(inherited[0]?.readOnly, option.includes('ro'))
    }
  }),
)

test('relabelMounts(): directories of the host are refused under any name', { skip }, () =>
  withDirectory(async (directory) => {
    const link = join(directory, 'link')
    symlinkSync('/etc', link)
    const before = labelOf('/etc')
    for (const [source, real] of [
      ['/', '/'],
      ['/etc', '/etc'],
      ['/etc/', '/etc'],
      ['/home', '/home'],
      ['/usr/../var/lib', '/var/lib'],
      ['/etc/passwd', '/etc/passwd'],
      [homedir(), homedir()],
      [link, '/etc'],
    ] as const) {
      await assert.rejects(relabelled([{ type: 'bind', mode: 'z', source }]), {
        kind: 'invalidArgument',
        message: `error setting label on mount source '${real}': SELinux relabeling of ${real} is not allowed`,
      })
    }
    assert.equal(labelOf('/etc'), before)
  }),
)

function isThere(path: string): boolean {
  try {
    readFileSync(path)
    return true
  } catch {
    return false
  }
}
