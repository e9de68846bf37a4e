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
import { Database } from '../store/index.ts'
import { diskUsage } from './disk-usage.ts'
import { anonymousLabel } from './volume-name.ts'
import { Volumes } from './volumes.ts'

async function open(t: TestContext): Promise<{ volumes: Volumes; root: string; reopen: () => Promise<Volumes> }> {
  const home = mkdtempSync(join(tmpdir(), 'bv'))
  const db = Database.open(':memory:')
  const root = join(home, 'volumes')
  const opened: Volumes[] = []
  const reopen = async () => {
    const volumes = await Volumes.open({ db, root, logger: nullLogger })
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

test('Volumes.create makes a directory once and gives the same volume after that', async (t) => {
  const { volumes, root } = await open(t)
  const record = volumes.create({ name: 'data', labels: { a: 'b' } })
  assert.equal(record.mountpoint, join(root, 'data', '_data'))
  assert.equal(statSync(record.mountpoint).mode & 0o7777, 0o755)
  assert.deepEqual(volumes.create({ name: 'data' }), record)
  assert.deepEqual(volumes.list(), [{ ...record, users: 0 }])
})

test('Volumes.create gives a volume without a name a random one and a label', async (t) => {
  const { volumes } = await open(t)
  const record = volumes.create({})
  assert.match(record.name, /^[0-9a-f]{64}$/)
  assert.equal(record.anonymous, true)
  assert.deepEqual(record.labels, { [anonymousLabel]: '' })
})

test('Volumes.create refuses bad names, drivers and options', async (t) => {
  const { volumes } = await open(t)
  const refused = (
    request: Parameters<Volumes['create']>[0],
    kind: 'invalidArgument' | 'notFound' | 'notImplemented',
  ) =>
    assert.throws(
      () => volumes.create(request),
      (error) => isKind(error, kind),
    )
  for (const name of ['a', '../x', 'a/b', '.hidden', 'a b', '-x']) refused({ name }, 'invalidArgument')
  refused({ name: 'data', driver: 'nfs' }, 'notFound')
  refused({ name: 'data', options: { type: 'tmpfs' } }, 'notImplemented')
  refused({ name: 'data', options: { colour: 'red' } }, 'invalidArgument')
  assert.deepEqual(volumes.list(), [])
})

test('Volumes.remove refuses a volume in use with the ids of its users', async (t) => {
  const { volumes, root } = await open(t)
  volumes.create({ name: 'data' })
  volumes.acquire('data', 'c1')
  volumes.acquire('data', 'c1')
  assert.equal(volumes.list()[0]?.users, 1)
  assert.throws(
    () => volumes.remove('data', { force: true }),
    (error) => isKind(error, 'conflict') && messageOf(error) === 'remove data: volume is in use - [c1]',
  )
  assert.deepEqual(volumes.release('c1', { removeAnonymous: true }), [])
  volumes.remove('data')
  assert.equal(existsSync(join(root, 'data')), false)
  assert.throws(
    () => volumes.remove('data'),
    (error) => isKind(error, 'notFound') && messageOf(error) === 'get data: no such volume',
  )
  volumes.remove('data', { force: true })
})

test('Volumes.release removes anonymous volumes that nobody else uses', async (t) => {
  const { volumes } = await open(t)
  const own = volumes.create({}).name
  const shared = volumes.create({}).name
  volumes.acquire(own, 'c1')
  volumes.acquire(shared, 'c1')
  volumes.acquire(shared, 'c2')
  assert.deepEqual(volumes.release('c1', { removeAnonymous: true }), [own])
  assert.deepEqual(
    volumes.list().map((volume) => volume.name),
    [shared],
  )
})

test('Volumes.prune takes the unused ones that are selected and counts their bytes', async (t) => {
  const { volumes } = await open(t)
  writeFileSync(join(volumes.create({ name: 'old' }).mountpoint, 'f'), Buffer.alloc(1000))
  volumes.create({ name: 'kept' })
  volumes.create({ name: 'used' })
  volumes.acquire('used', 'c1')
  const result = await volumes.prune((record) => record.name !== 'kept')
  assert.deepEqual(result, { removed: ['old'], reclaimedBytes: 1000 })
})

test('Volumes.copyUp fills an empty volume once', async (t) => {
  const { volumes, root } = await open(t)
  const source = join(root, '..', 'image')
  mkdirSync(join(source, 'sub'), { recursive: true })
  writeFileSync(join(source, 'sub', 'f'), 'one')
  chmodSync(source, 0o1777)
  const { mountpoint } = volumes.create({ name: 'data' })
  await Promise.all([volumes.copyUp(source, 'data'), volumes.copyUp(source, 'data')])
  assert.equal(readFileSync(join(mountpoint, 'sub', 'f'), 'utf8'), 'one')
  assert.equal(statSync(mountpoint).mode & 0o7777, 0o1777)
  writeFileSync(join(source, 'sub', 'f'), 'two')
  await volumes.copyUp(source, 'data')
  assert.equal(readFileSync(join(mountpoint, 'sub', 'f'), 'utf8'), 'one')
})

test('Volumes.copyUp starts over when an earlier one was interrupted', async (t) => {
  const { volumes, root } = await open(t)
  const source = join(root, '..', 'image')
  mkdirSync(source)
  writeFileSync(join(source, 'f'), 'whole')
  const { mountpoint } = volumes.create({ name: 'data' })
  writeFileSync(join(mountpoint, 'half'), '')
  writeFileSync(join(root, 'data', '.filling'), '')
  await volumes.copyUp(source, 'data')
  assert.deepEqual(readdirSync(mountpoint), ['f'])
  assert.deepEqual(readdirSync(join(root, 'data')), ['_data'])
})

test('Volumes.open adopts directories without a row and ends removals', async (t) => {
  const { volumes, root, reopen } = await open(t)
  volumes.create({ name: 'known' })
  mkdirSync(join(root, 'orphan', '_data'), { recursive: true })
  mkdirSync(join(root, '.gone-1', '_data'), { recursive: true })
  const again = await reopen()
  assert.deepEqual(
    again.list().map((volume) => volume.name),
    ['known', 'orphan'],
  )
  await again.close()
  assert.equal(existsSync(join(root, '.gone-1')), false)
})

test('Volumes.restore forgets the references of containers that are gone', async (t) => {
  const { volumes } = await open(t)
  volumes.create({ name: 'data' })
  volumes.acquire('data', 'c1')
  volumes.acquire('data', 'c2')
  volumes.restore(new Set(['c2']))
  assert.equal(volumes.list()[0]?.users, 1)
})

test('diskUsage counts a file with two names once', async (t) => {
  const { volumes } = await open(t)
  const { mountpoint } = volumes.create({ name: 'data' })
  writeFileSync(join(mountpoint, 'a'), Buffer.alloc(100))
  linkSync(join(mountpoint, 'a'), join(mountpoint, 'b'))
  assert.equal(await diskUsage(mountpoint), 100)
})
