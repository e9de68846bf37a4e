import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isKind, messageOf, nullLogger } from '../base/index.ts'
import { Plugins } from '../plugins/index.ts'
import { Database } from '../store/index.ts'
import { diskUsage } from './disk-usage.ts'
import { pruneVolumes } from './prune-volumes.ts'
import { anonymousLabel } from './record/volume-name.ts'
import type { VolumeRecord, VolumeRequest } from './record/volume-record.ts'
import { Volumes } from './volumes.ts'

async function open(t: TestContext): Promise<{ volumes: Volumes; root: string; reopen: () => Promise<Volumes> }> {
  const home = mkdtempSync(join(tmpdir(), 'bv'))
  const db = Database.open(':memory:')
  const root = join(home, 'volumes')
  const opened: Volumes[] = []
  const reopen = async () => {
    const plugins = new Plugins({ directories: [join(home, 'plugins')], retryMs: 0, logger: nullLogger })
    const volumes = await Volumes.open({ db, root, plugins, logger: nullLogger })
    opened.push(volumes)
    return volumes
  }
  t.after(async () => {
    for (const volumes of opened) await volumes.close()
    db.close()
    rmSync(home, { recursive: true })
  })
  return { volumes: await reopen(), root, reopen }
}

async function make(volumes: Volumes, request?: VolumeRequest): Promise<VolumeRecord> {
  return (await volumes.create(request)).record
}

async function hold(volumes: Volumes, name: string, holder: string): Promise<void> {
  await volumes.createFor(holder, { name })
}

async function names(volumes: Volumes): Promise<string[]> {
  return (await volumes.catalog.list()).volumes.map(({ name }) => name)
}

async function users(volumes: Volumes): Promise<number | undefined> {
  return (await volumes.catalog.list()).volumes[0]?.users
}

test('Volumes.create makes a directory once and gives the same volume after that', async (t) => {
  const { volumes, root } = await open(t)
  const record = await make(volumes, { name: 'data', labels: { a: 'b' } })
  assert.equal(record.mountpoint, join(root, 'data', '_data'))
  assert.equal(statSync(record.mountpoint).mode & 0o7777, 0o755)
  assert.deepEqual(await volumes.create({ name: 'data' }), { record, isNew: false })
  assert.deepEqual(await volumes.catalog.list(), {
    volumes: [{ ...record, users: 0, scope: 'local' }],
    warnings: [],
  })
})

test('Volumes.create gives a volume without a name a random one and a label', async (t) => {
  const { volumes } = await open(t)
  const record = await make(volumes, {})
  assert.match(record.name, /^[0-9a-f]{64}$/)
  assert.equal(record.anonymous, true)
  assert.deepEqual(record.labels, { [anonymousLabel]: '' })
})

test('Volumes.create refuses bad names, drivers and options', async (t) => {
  const { volumes } = await open(t)
  const refused = (request: VolumeRequest, kind: 'invalidArgument' | 'notFound' | 'conflict') =>
    assert.rejects(make(volumes, request), (error) => isKind(error, kind))
  for (const name of ['a', '../x', 'a/b', '.hidden', 'a b', '-x']) await refused({ name }, 'invalidArgument')
  await refused({ name: 'data', driver: 'nfs' }, 'notFound')
  await refused({ name: 'data', options: { type: 'tmpfs' } }, 'invalidArgument')
  await refused({ name: 'data', options: { device: 'tmpfs' } }, 'invalidArgument')
  await refused({ name: 'data', options: { size: '1m' } }, 'invalidArgument')
  await refused({ name: 'data', options: { colour: 'red' } }, 'invalidArgument')
  assert.deepEqual(await names(volumes), [])
})

test('Volumes.remove refuses a volume in use with the ids of its users', async (t) => {
  const { volumes, root } = await open(t)
  await make(volumes, { name: 'data' })
  await hold(volumes, 'data', 'c1')
  await hold(volumes, 'data', 'c1')
  assert.equal(await users(volumes), 1)
  await assert.rejects(
    volumes.remove('data', { force: true }),
    (error) => isKind(error, 'conflict') && messageOf(error) === 'remove data: volume is in use - [c1]',
  )
  assert.deepEqual(await volumes.release('c1', { removeAnonymous: true }), [])
  await volumes.remove('data')
  assert.equal(existsSync(join(root, 'data')), false)
  await assert.rejects(
    volumes.remove('data'),
    (error) => isKind(error, 'notFound') && messageOf(error) === 'get data: no such volume',
  )
  await volumes.remove('data', { force: true })
})

test('Volumes.release removes anonymous volumes that no other container uses', async (t) => {
  const { volumes } = await open(t)
  const own = (await make(volumes, {})).name
  const shared = (await make(volumes, {})).name
  await hold(volumes, own, 'c1')
  await hold(volumes, shared, 'c1')
  await hold(volumes, shared, 'c2')
  assert.deepEqual(
    (await volumes.release('c1', { removeAnonymous: true })).map(({ name }) => name),
    [own],
  )
  assert.deepEqual(await names(volumes), [shared])
})

test('pruneVolumes takes the unused ones that are selected and counts their bytes', async (t) => {
  const { volumes } = await open(t)
  writeFileSync(join((await make(volumes, { name: 'old' })).mountpoint, 'f'), Buffer.alloc(1000))
  await make(volumes, { name: 'kept' })
  await make(volumes, { name: 'used' })
  await hold(volumes, 'used', 'c1')
  const { removed, reclaimedBytes } = await pruneVolumes(volumes, (volume) => volume.name !== 'kept')
  assert.deepEqual([removed.map(({ name }) => name), reclaimedBytes], [['old'], 1000])
})

test('VolumeMounts.copyUp fills an empty volume once', async (t) => {
  const { volumes, root } = await open(t)
  const source = join(root, '..', 'image')
  mkdirSync(join(source, 'sub'), { recursive: true })
  writeFileSync(join(source, 'sub', 'f'), 'one')
  chmodSync(source, 0o1777)
  const { mountpoint } = await make(volumes, { name: 'data' })
  await Promise.all([volumes.mounts.copyUp(source, 'data', 'c1'), volumes.mounts.copyUp(source, 'data', 'c1')])
  assert.equal(readFileSync(join(mountpoint, 'sub', 'f'), 'utf8'), 'one')
  assert.equal(statSync(mountpoint).mode & 0o7777, 0o1777)
  writeFileSync(join(source, 'sub', 'f'), 'two')
  await volumes.mounts.copyUp(source, 'data', 'c1')
  assert.equal(readFileSync(join(mountpoint, 'sub', 'f'), 'utf8'), 'one')
})

test('VolumeMounts.copyUp starts over when an earlier one was interrupted', async (t) => {
  const { volumes, root } = await open(t)
  const source = join(root, '..', 'image')
  mkdirSync(source)
  writeFileSync(join(source, 'f'), 'whole')
  const { mountpoint } = await make(volumes, { name: 'data' })
  writeFileSync(join(mountpoint, 'half'), '')
  writeFileSync(join(root, 'data', '.filling'), '')
  await volumes.mounts.copyUp(source, 'data', 'c1')
  assert.deepEqual(readdirSync(mountpoint), ['f'])
  assert.deepEqual(readdirSync(join(root, 'data')), ['_data'])
})

test('Volumes.open adopts directories without a row and ends removals', async (t) => {
  const { volumes, root, reopen } = await open(t)
  await make(volumes, { name: 'known' })
  mkdirSync(join(root, 'orphan', '_data'), { recursive: true })
  mkdirSync(join(root, '.gone-1', '_data'), { recursive: true })
  const again = await reopen()
  assert.deepEqual(await names(again), ['known', 'orphan'])
  await again.close()
  assert.equal(existsSync(join(root, '.gone-1')), false)
})

test('Volumes.restore forgets the references of containers that are gone', async (t) => {
  const { volumes } = await open(t)
  await make(volumes, { name: 'data' })
  await hold(volumes, 'data', 'c1')
  await hold(volumes, 'data', 'c2')
  await volumes.restore(new Set(['c2']))
  assert.equal(await users(volumes), 1)
})

test('diskUsage counts a file with two names once', async (t) => {
  const { volumes } = await open(t)
  const { mountpoint } = await make(volumes, { name: 'data' })
  writeFileSync(join(mountpoint, 'a'), Buffer.alloc(100))
  linkSync(join(mountpoint, 'a'), join(mountpoint, 'b'))
  assert.equal(await diskUsage(mountpoint), 100)
})
