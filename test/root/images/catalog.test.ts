/** What images are stored: lists and names, removal, and what is freed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '../../../src/oci/index.ts'
import { dockerArchive, makeImage } from '../../helpers/images/archives.ts'
import { blobs, ImageWorkspace, load, skip, snapshots } from './workspace.ts'

test('Images.remove() follows Docker’s rules and frees what no other image uses', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const base = { base: 'b'.repeat(1000) }
  const one = await makeImage([base, { one: '1' }])
  const two = await makeImage([base, { two: '2' }])
  await load(ws, await dockerArchive(one, ['one:1', 'other/one:2']))
  await load(ws, await dockerArchive(two, ['two:1']))
  const id = one.id as Digest
  const short = id.slice(7, 19)
  const use = (running: boolean) => ws.users.set(id, [{ id: 'c'.repeat(64), name: 'box', running }])
  const soft = { force: false, prune: true }

  await assert.rejects(ws.images.removals.remove('nope', soft), {
    kind: 'notFound',
    message: 'No such image: nope:latest',
  })
  await assert.rejects(ws.images.removals.remove(short, soft), {
    kind: 'conflict',
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  })
  assert.deepEqual(await ws.images.removals.remove('other/one:2', soft), [{ Untagged: 'other/one:2' }])
  use(false)
  await assert.rejects(ws.images.removals.remove('one:1', soft), {
    message: `conflict: unable to remove repository reference "one:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  })
  await assert.rejects(ws.images.removals.remove(short, soft), {
    message: `conflict: unable to delete ${short} (must be forced) - image is being used by stopped container cccccccccccc`,
  })
  use(true)
  await assert.rejects(ws.images.removals.remove(short, { force: true, prune: true }), {
    message: `conflict: unable to delete ${short} (cannot be forced) - image is being used by running container cccccccccccc`,
  })
  ws.users.clear()
  const before = await snapshots(ws)
  assert.equal(before.length, 3)
  const items = await ws.images.removals.remove(short, soft)
  assert.deepEqual(items.slice(0, 2), [{ Untagged: 'one:1' }, { Deleted: id }])
  assert.equal(items.length, 3, 'the base layer belongs to the other image, too')
  assert.equal((await snapshots(ws)).length, 2)
  await ws.images.removals.remove('two:1', soft)
  assert.deepEqual(await snapshots(ws), [])
  assert.deepEqual(await blobs(ws), [])
})

test('Images.garbage keeps layers that a container uses', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const image = await makeImage([{ a: '1' }, { b: '2' }])
  await load(ws, await dockerArchive(image, ['x:1']))
  const { chainId } = ws.images.store.resolve('x:1')
  await ws.snapshots.prepare('container-1', chainId)
  await ws.images.removals.remove('x:1', { force: true, prune: true })
  assert.equal((await snapshots(ws)).length, 3)
  await ws.snapshots.remove('container-1')
  await ws.images.garbage.sweep({ unfinished: true })
  assert.deepEqual(await snapshots(ws), [])
})

test('Images.list() filters and resolve() finds by every kind of name', { skip }, async () => {
  await using ws = await ImageWorkspace.open()
  const one = await makeImage([{ a: '1' }], { Labels: { tier: 'front' } })
  await load(ws, await dockerArchive(one, ['web:1', 'quay.io/team/web:2']))
  await load(ws, await dockerArchive(await makeImage([{ a: '2' }]), ['db:latest']))
  const ids = async (filters: Record<string, string[]>) =>
    (await ws.images.catalog.list({ all: false, filters })).flatMap(({ RepoTags }) => RepoTags).sort()
  assert.deepEqual(await ids({}), ['db:latest', 'quay.io/team/web:2', 'web:1'])
  assert.deepEqual(await ids({ label: ['tier=front'] }), ['quay.io/team/web:2', 'web:1'])
  assert.deepEqual(await ids({ reference: ['web'] }), ['web:1'])
  assert.deepEqual(await ids({ reference: ['*/*/web:*', 'd?'] }), ['db:latest', 'quay.io/team/web:2'])
  assert.deepEqual(await ids({ dangling: ['true'] }), [])
  assert.deepEqual(await ids({ until: ['2024-01-02'] }), [])
  await assert.rejects(ids({ nonsense: ['1'] }), { message: "invalid filter 'nonsense'" })
  await assert.rejects(ids({ before: ['nope'] }), { kind: 'notFound' })
  const { store } = ws.images
  for (const name of [
    'web:1',
    'docker.io/library/web:1',
    one.id,
    one.id.slice(7),
    one.id.slice(7, 15),
    one.id.slice(0, 20),
  ]) {
    assert.equal(store.resolve(name).id, one.id, name)
  }
  await ws.images.tag('web:1', 'again', '')
  assert.equal(store.resolve('again').id, one.id)
  await assert.rejects(ws.images.tag('web:1', 'Bad', ''), { kind: 'invalidArgument' })
  await assert.rejects(ws.images.tag('web:1', 'sha256', ''), /ambiguous tag/)
  assert.throws(() => store.resolve('web:1', { platform: { os: 'linux', architecture: 's390x' } }), {
    message: /does not match the specified platform \(linux\/s390x\)/,
  })
  const history = await ws.images.catalog.history('web:1')
  assert.deepEqual([history[0]?.Id, history[0]?.CreatedBy, history[0]?.Size], [one.id, 'step 0', 1])
})
