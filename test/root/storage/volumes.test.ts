/** Filling a volume from an image directory, with everything that only root can create. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nullLogger } from '../../../src/base/index.ts'
import { Plugins } from '../../../src/plugins/index.ts'
import { Database } from '../../../src/store/index.ts'
import { getXattr, setXattr } from '../../../src/sys/index.ts'
import { Volumes } from '../../../src/volumes/index.ts'

const skip = process.env.BERTH_TEST_ROOT === '1' ? false : 'needs root: BERTH_TEST_ROOT=1'

test('copyUp keeps owners, modes, times, attributes, hard links and devices', { skip }, async (t) => {
  const home = mkdtempSync('/tmp/bvr')
  const db = Database.open(':memory:')
  const plugins = new Plugins({ directories: [], retryMs: 0, logger: nullLogger })
  const volumes = await Volumes.open({ db, root: join(home, 'volumes'), plugins, logger: nullLogger })
  t.after(async () => {
    await volumes.close()
    db.close()
    rmSync(home, { recursive: true })
  })
  const source = join(home, 'image')
  mkdirSync(join(source, 'dir'), { recursive: true })
  writeFileSync(join(source, 'dir', 'program'), 'x')
  chownSync(join(source, 'dir', 'program'), 1000, 1001)
  chmodSync(join(source, 'dir', 'program'), 0o4755)
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
  setXattr(join(source, 'dir', 'program'), 'security.capability', capability)
  linkSync(join(source, 'dir', 'program'), join(source, 'other-name'))
  symlinkSync('/etc/shadow', join(source, 'link'))
  lutimesSync(join(source, 'link'), 1_000_000, 1_000_000)
  execFileSync('mknod', [join(source, 'null'), 'c', '1', '3'])
  execFileSync('mkfifo', [join(source, 'fifo')])
  chownSync(source, 7, 8)
  chmodSync(source, 0o750)

  const target = (await volumes.create({ name: 'data' })).record.mountpoint
  await volumes.mounts.copyUp(source, 'data', 'c1')
  for (const name of ['.', 'dir', 'dir/program', 'other-name', 'link', 'null', 'fifo']) {
    const [before, after] = [source, target].map((root) => lstatSync(join(root, name), { bigint: true }))
    const facts = (stats: typeof before) => [
      stats?.mode,
      stats?.uid,
      stats?.gid,
      stats?.rdev,
      stats?.mtimeNs,
      stats?.nlink,
    ]
    assert.deepEqual(facts(after), facts(before), name)
  }
  assert.equal(lstatSync(join(target, 'other-name')).ino, lstatSync(join(target, 'dir', 'program')).ino)
  assert.deepEqual(getXattr(join(target, 'dir', 'program'), 'security.capability'), capability)
})
