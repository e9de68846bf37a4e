/** Prune of images, disk usage and the check of the store, with the docker CLI and berth. Texts and order are those
 *  of a real dockerd. */
import assert from 'node:assert/strict'
import { appendFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { LocalImages } from '../../helpers/images/local-images.ts'
import { until } from '../../helpers/wait.ts'

let images: LocalImages
let daemon: TestDaemon
let directory: string
let archive: string
let id: string

before(async () => {
  images = await LocalImages.start()
  ;({ daemon, directory, archive, id } = images)
})
after(() => images?.[Symbol.asyncDispose]())

const reset = () => images.reset()

describe('prune and disk usage', () => {
  /** Bytes of the files below the image directories. */
  async function used(): Promise<number> {
    const sizes = await runOrThrow('find', [
      ...[join(daemon.dataRoot, 'content'), join(daemon.dataRoot, 'snapshots')],
      ...['-not', '-type', 'd', '-printf', '%s\n'],
    ])
    return sizes.split('\n').reduce((sum, size) => sum + Number(size), 0)
  }

  interface Usage {
    readonly LayersSize: number
    readonly Images: { readonly Size: number; readonly SharedSize: number; readonly Containers: number }[]
  }

  test('df matches the disk; prune frees what it reports', async () => {
    await reset()
    for (const name of ['keep', 'drop']) {
      await daemon.ok(['run', '--name', name, 'busybox', 'dd', 'if=/dev/zero', 'of=/big', 'bs=1000', 'count=2000'])
      await daemon.ok(['commit', name, ...(name === 'keep' ? ['keep:1'] : [])])
      await daemon.ok(['rm', name])
    }
    await daemon.ok(['create', '--name', 'user', 'keep:1'])
    // The container's own files count for the container.
    const empty = join(await daemon.ok(['inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'user']), '.dockerenv')
    rmSync(empty)
    const { body } = await daemon.api<Usage>('GET', '/system/df?type=image')
    const before = await used()
    assert.equal(body.LayersSize, before)
    const shared = Math.max(...body.Images.map(({ SharedSize }) => SharedSize))
    const unique = body.Images.reduce((sum, { Size, SharedSize }) => sum + Size - SharedSize, 0)
    assert.equal(shared + unique, before)
    assert.equal(body.Images.filter(({ Containers }) => Containers > 0).length, 1)
    const { body: pruned } = await daemon.api<{ SpaceReclaimed: number; ImagesDeleted: unknown[] }>(
      'POST',
      '/images/prune',
    )
    await until(async () => (await used()) === before - pruned.SpaceReclaimed, {
      what: `${before} - ${pruned.SpaceReclaimed} bytes`,
    })
    assert.ok(pruned.SpaceReclaimed > 4_000_000)
    assert.equal(pruned.ImagesDeleted.length, 2)
    await daemon.ok(['rm', 'user'])
  })

  test('prune by age and label; -a removes images that no container uses', async () => {
    await reset()
    for (const label of ['a', 'b']) {
      await daemon.ok(['create', '--name', 'one', 'busybox'])
      await daemon.ok(['commit', '-c', `LABEL which=${label}`, 'one'])
      await daemon.ok(['rm', 'one'])
    }
    const count = async () => (await daemon.ok(['images', '-aq'])).split('\n').length
    assert.equal(await count(), 3)
    await daemon.ok(['image', 'prune', '-f', '--filter', 'until=1h'])
    assert.equal(await count(), 3)
    await daemon.ok(['image', 'prune', '-f', '--filter', 'label!=which=a'])
    assert.equal(await count(), 2)
    await daemon.ok(['image', 'prune', '-f', '--filter', 'label=which=a'])
    assert.equal(await count(), 1)
    await daemon.ok(['create', '--name', 'user', 'busybox'])
    await daemon.ok(['image', 'prune', '-af'])
    assert.equal(await count(), 1)
    await daemon.ok(['rm', 'user'])
    await daemon.ok(['image', 'prune', '-af', '--filter', 'until=2020-01-01'])
    assert.equal(await count(), 1)
    const { stderr } = await daemon.docker(['image', 'prune', '-f', '--filter', 'until=1h', '--filter', 'until=2h'])
    assert.match(stderr, /more than one until filter specified/)
    assert.match((await daemon.docker(['image', 'prune', '-f', '--filter', 'foo=1'])).stderr, /invalid filter 'foo'/)
  })

  test('both clients print the same', async () => {
    await reset()
    await daemon.ok(['run', '--name', 'same', '-v', 'data:/data', 'busybox', 'sh', '-c', 'echo x >/x; echo y >/data/y'])
    await daemon.ok(['commit', 'same', 'same:1'])
    const same: readonly (readonly string[])[] = [
      ['system', 'df'],
      ['system', 'df', '-v'],
      ['system', 'df', '--format', 'json'],
      ['system', 'df', '-v', '--format', 'json'],
      ['system', 'df', '--format', 'table {{.Type}}\\t{{.Reclaimable}}'],
      ['images', '--digests', '--no-trunc'],
      ['image', 'ls', '-a'],
      ['history', 'same:1'],
      ['history', '--no-trunc', '--format', 'json', 'same:1'],
      ['image', 'prune'],
      ['image', 'prune', '-a', '--filter', 'label=x'],
      ['container', 'prune'],
      ['network', 'prune'],
      ['system', 'prune', '-a', '--volumes'],
      ['system', 'prune', '--filter', 'until=1h', '--filter', 'label=x'],
      ['system', 'prune', '-f', '--volumes', '--filter', 'until=1h'],
      ['network', 'prune', '-f'],
    ]
    for (const args of same) {
      const results = await Promise.all([daemon.docker(args, { input: 'n\n' }), daemon.berth(args, { input: 'n\n' })])
      const [docker, berth] = results.map(({ code, stdout, stderr }) => ({
        code,
        text: (stdout + stderr)
          .replace(/\d+ seconds? ago|Less than a second ago|About a minute ago/g, 'AGO')
          .replace(/ +/g, ' '),
      }))
      assert.deepEqual(berth, docker, args.join(' '))
    }
    const pruned = await daemon.berth(['system', 'prune', '-af', '--volumes'])
    assert.match(
      pruned.stdout,
      /^Deleted Containers:\n[0-9a-f]{64}\n\nDeleted Images:\nuntagged: same:1\ndeleted: sha256:/,
    )
    assert.match(pruned.stdout, /\n\nTotal reclaimed space: \d+(\.\d+)?MB\n$/)
    assert.match(await daemon.ok(['system', 'prune', '-af', '--volumes']), /^Total reclaimed space: 0B$/)
    await daemon.ok(['volume', 'rm', 'data'])
  })
})

describe('system check', () => {
  test('finds no problem, and shows unused data only on request', async () => {
    await reset()
    const { code, stdout } = await daemon.berth(['system', 'check', '--strict'])
    assert.equal(code, 0)
    assert.match(stdout, /^Checked 1 images, 1 names, 3 blobs \(2\.\d+MB\), 1 snapshots: no problems\.\n$/)
  })

  test('names each defect and exits with 1', async () => {
    await reset()
    const [{ RootFS }] = JSON.parse(await daemon.ok(['image', 'inspect', 'busybox']))
    const diffId: string = RootFS.Layers[0]
    const blob = (digest: string) => join(daemon.dataRoot, 'content/blobs', digest.replace(':', '/'))
    const check = async () => {
      const { code, stdout } = await daemon.berth(['system', 'check', '-q'])
      return { code, lines: stdout.trim().split('\n') }
    }
    appendFileSync(blob(diffId), 'x')
    const damaged = await check()
    assert.equal(damaged.code, 1)
    assert.match(damaged.lines.join('\n'), new RegExp(`^blob ${diffId}: its content hashes to sha256:[0-9a-f]{64}$`))
    renameSync(blob(diffId), join(directory, 'aside'))
    assert.deepEqual(await check(), { code: 1, lines: [`image ${id}: no blob of a layer, ${diffId}`] })
    renameSync(blob(id), join(directory, 'config'))
    const withoutConfig = await check()
    assert.ok(withoutConfig.lines.includes(`image ${id}: no config ${id}`))
    renameSync(join(directory, 'config'), blob(id))
    const files = await daemon.ok(['inspect', '-f', '{{.GraphDriver.Data.UpperDir}}', 'busybox'])
    renameSync(files, join(directory, 'files'))
    const withoutFiles = await check()
    assert.ok(withoutFiles.lines.includes(`snapshot ${diffId}: its directory is gone`))
    renameSync(join(directory, 'files'), files)
    await daemon.ok(['rmi', 'busybox'])
    // Loading the image again repairs all of it.
    await daemon.ok(['load', '-qi', archive])
    assert.deepEqual(await check(), { code: 0, lines: [''] })
  })

  test('shows unused data, and prune removes it', async () => {
    await reset()
    await runOrThrow('sh', [
      '-c',
      `printf stray >${daemon.dataRoot}/content/blobs/sha256/$(printf stray | sha256sum | cut -c1-64)`,
    ])
    const plain = await daemon.berth(['system', 'check'])
    assert.equal(plain.code, 0)
    assert.match(plain.stdout, /Nothing needs 1 of them/)
    const strict = await daemon.berth(['system', 'check', '--strict', '-q'])
    assert.equal(strict.code, 1)
    assert.match(strict.stdout, /^blob sha256:[0-9a-f]{64}: nothing needs it\n$/)
    await daemon.ok(['image', 'prune', '-f'])
    assert.equal((await daemon.berth(['system', 'check', '--strict'])).code, 0)
  })
})
