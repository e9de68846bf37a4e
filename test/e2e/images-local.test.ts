/** Images that are here: lists with filters, names, inspect, history, removal, prune, disk usage and the check of the
 *  store, by the docker CLI and berth. Texts and order are those of a real dockerd. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../helpers/command.ts'
import { TestDaemon } from '../helpers/daemon.ts'
import { TestRegistry } from '../helpers/registry.ts'
import { writeBusyboxArchive } from '../helpers/test-image.ts'
import { until } from '../helpers/wait.ts'
import { assertExplained } from '../helpers/world.ts'

let daemon: TestDaemon
let directory: string
let archive: string
let id: string
let short: string

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  archive = join(directory, 'busybox.tar')
  id = await writeBusyboxArchive({ path: archive, config: { Cmd: ['sh'], Labels: { kind: 'base' } } })
  short = id.slice(7, 19)
  daemon = await TestDaemon.start()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Only busybox:latest is left. */
async function reset(): Promise<void> {
  const containers = (await daemon.ok(['ps', '-aq'])).split('\n').filter((one) => one !== '')
  if (containers.length > 0) await daemon.ok(['rm', '-fv', ...containers])
  await until(async () => (await daemon.ok(['image', 'prune', '-af'])) !== '' && (await stored()) === 0, {
    what: 'an empty store',
  })
  await daemon.ok(['load', '-qi', archive])
}

async function stored(): Promise<number> {
  return (await runOrThrow('find', [join(daemon.dataRoot, 'content/blobs'), '-type', 'f']))
    .split('\n')
    .filter((line) => line !== '').length
}

/** Output, errors and exit code of a command, ids in words. */
async function transcript(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await daemon.docker(args)
  const text = (stdout + stderr).replaceAll(id, 'ID').replaceAll(short, 'SHORT')
  return `${text.replace(/[0-9a-f]{64}/g, 'HEX').replace(/container [0-9a-f]{12}/g, 'container C')}${code}`
}

const layer = 'Deleted: sha256:HEX\n'

describe('list', () => {
  before(async () => {
    await reset()
    await daemon.ok(['tag', 'busybox', 'example.org:5000/team/app:1.0'])
    await daemon.ok(['tag', 'busybox', 'team/app:1.0'])
    for (const [name, label] of [
      ['one', 'tier=front'],
      ['two', 'tier=back'],
    ] as const) {
      await daemon.ok(['create', '--name', name, 'busybox', 'true'])
      await daemon.ok(['commit', '-c', `LABEL ${label}`, name, `${name}:1`])
      await daemon.ok(['rm', name])
    }
    await daemon.ok(['create', '--name', 'nameless', 'busybox'])
    await daemon.ok(['commit', '-c', 'LABEL tier=none', 'nameless'])
    await daemon.ok(['rm', 'nameless'])
  })

  const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
    [[], ['<none>:<none>', 'busybox:latest', 'example.org:5000/team/app:1.0', 'one:1', 'team/app:1.0', 'two:1']],
    [['-f', 'dangling=true'], ['<none>:<none>']],
    [
      ['-f', 'dangling=false', '-f', 'label=tier'],
      ['one:1', 'two:1'],
    ],
    [['-f', 'label=tier=front'], ['one:1']],
    [['-f', 'label=kind=base', '-f', 'label=tier=back'], ['two:1']],
    [['-f', 'before=two:1', '-f', 'label=tier'], ['one:1']],
    [
      ['-f', 'since=one:1'],
      ['<none>:<none>', 'two:1'],
    ],
    [['-f', 'since=busybox', '-f', 'before=two:1'], ['one:1']],
    [['-f', 'reference=busy*'], ['busybox:latest']],
    [['-f', 'reference=*/*'], ['team/app:1.0']],
    [['-f', 'reference=example.org:5000/*/app:?.0'], ['example.org:5000/team/app:1.0']],
    [
      ['-f', 'reference=[bo]*'],
      ['busybox:latest', 'one:1'],
    ],
    [
      ['-f', 'until=2024-01-01'],
      ['busybox:latest', 'example.org:5000/team/app:1.0', 'team/app:1.0'],
    ],
    [['-f', 'until=24h', '-f', 'reference=busybox:latest'], ['busybox:latest']],
    [['one'], ['one:1']],
    [['one:2'], []],
  ]
  for (const [args, expected] of cases) {
    test(`images ${args.join(' ')}`, async () => {
      const all = ['images', '--format', '{{.Repository}}:{{.Tag}}', ...args]
      // The repositories of one image come in any order from docker.
      const lines = (text: string) => text.split('\n').filter((line) => line !== '').sort() // biome-ignore format: one line
      assert.deepEqual(lines(await daemon.ok(all)), expected)
      assert.deepEqual(lines((await daemon.berth(all)).stdout), expected)
    })
  }

  test('filters that are not there', async () => {
    assert.match((await daemon.docker(['images', '-f', 'foo=bar'])).stderr, /invalid filter 'foo'/)
    assert.match((await daemon.docker(['images', '-f', 'dangling=x'])).stderr, /invalid filter 'dangling=/)
    assert.match((await daemon.docker(['images', '-f', 'before=nosuch'])).stderr, /No such image: nosuch:latest/)
    assert.match((await daemon.docker(['images', '-f', 'reference=[a'])).stderr, /syntax error in pattern/)
  })

  test('shared sizes and manifests, over the API', async () => {
    interface Summary {
      Id: string
      Size: number
      SharedSize: number
      Containers: number
      RepoTags: string[]
      Manifests?: { Kind: string; Available: boolean; Size: { Total: number } }[]
    }
    const { body } = await daemon.api<Summary[]>('GET', '/images/json?shared-size=1&manifests=1')
    const base = body.find(({ Id }) => Id === id)
    assert.ok(base !== undefined && base.SharedSize === base.Size && base.Containers === 0)
    assert.equal(base.Manifests?.[0]?.Kind, 'image')
    assert.ok((base.Manifests?.[0]?.Size.Total ?? 0) > base.Size)
    const plain = await daemon.api<Summary[]>('GET', '/images/json')
    assert.ok(plain.body.every(({ SharedSize, Containers }) => SharedSize === -1 && Containers === -1))
  })

  test('inspect tells where the files are', async () => {
    const { Data, Name } = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .GraphDriver}}', 'busybox']))
    assert.equal(Name, 'overlay2')
    assert.deepEqual(Object.keys(Data).sort(), ['MergedDir', 'UpperDir', 'WorkDir'])
    assert.ok(statSync(join(Data.UpperDir, 'bin/busybox')).isFile())
  })
})

test('digests: listed, and what a digest alone names is dangling', async () => {
  await reset()
  await using registry = await TestRegistry.start()
  const name = await registry.push(archive, 'digests:1')
  await daemon.ok(['pull', '-q', name])
  const [line = ''] = (
    await daemon.ok([
      'images',
      '--digests',
      '--format',
      '{{.Repository}} {{.Tag}} {{.Digest}}',
      `${registry.name}/digests`,
    ])
  ).split('\n')
  assert.match(line, /^127\.0\.0\.1:\d+\/digests 1 sha256:[0-9a-f]{64}$/)
  const byDigest = `${registry.name}/digests@${line.split(' ')[2]}`
  assert.equal(await transcript(['rmi', name]), `Untagged: ${name}\nUntagged: ${registry.name}/digests@sha256:HEX\n0`)
  await daemon.ok(['pull', '-q', byDigest])
  await daemon.ok(['rmi', 'busybox'])
  assert.equal(await daemon.ok(['images', '-q', '--no-trunc', '-f', 'dangling=true']), id)
  assert.equal((await daemon.ok(['image', 'prune', '-f'])).split('\n').at(-1)?.startsWith('Total'), true)
  assert.equal(await daemon.ok(['images', '-aq']), '')
})

describe('remove', () => {
  test('untags while there are other names, deletes with the last', async () => {
    await reset()
    await daemon.ok(['tag', 'busybox', 'a:1'])
    await daemon.ok(['tag', 'busybox', 'b:1'])
    const steps: readonly (readonly [string, string])[] = [
      [
        short,
        'Error response from daemon: conflict: unable to delete SHORT (must be forced) - image is referenced in multiple repositories\n1',
      ],
      ['a:1', 'Untagged: a:1\n0'],
      ['nosuch', 'Error response from daemon: No such image: nosuch:latest\n1'],
      ['busybox', 'Untagged: busybox:latest\n0'],
      ['b:1', `Untagged: b:1\nDeleted: ID\n${layer}0`],
      [short, `Error response from daemon: No such image: SHORT:latest\n1`],
    ]
    for (const [name, expected] of steps) assert.equal(await transcript(['rmi', name]), expected, name)
  })

  test('by a part of the id, and by force with all names in order', async () => {
    await reset()
    assert.equal(await transcript(['rmi', short.slice(0, 5)]), `Untagged: busybox:latest\nDeleted: ID\n${layer}0`)
    await daemon.ok(['load', '-qi', archive])
    await daemon.ok(['tag', 'busybox', 'a:1'])
    assert.equal(
      await transcript(['rmi', '-f', short]),
      `Untagged: a:1\nUntagged: busybox:latest\nDeleted: ID\n${layer}0`,
    )
  })

  test('a stopped container: refused, or forced; its files stay until it goes', async () => {
    await reset()
    await daemon.ok(['run', '--name', 'user', 'busybox', 'true'])
    const used = 'Error response from daemon: conflict: unable to'
    assert.equal(
      await transcript(['rmi', 'busybox']),
      `${used} remove repository reference "busybox" (must force) - container C is using its referenced image SHORT\n1`,
    )
    assert.equal(
      await transcript(['rmi', short]),
      `${used} delete SHORT (must be forced) - image is being used by stopped container C\n1`,
    )
    assert.equal(await transcript(['rmi', '-f', 'busybox']), 'Untagged: busybox:latest\nDeleted: ID\n0')
    assert.equal(await daemon.ok(['start', '-a', 'user']), '')
    assert.match((await daemon.docker(['commit', 'user'])).stderr, /No such image: sha256:/)
    await daemon.ok(['rm', 'user'])
    await until(async () => (await runOrThrow('ls', [join(daemon.dataRoot, 'snapshots')])) === 'trash', {
      what: 'the layer to go with its last container',
    })
    await assertExplained(daemon)
  })

  test('a running container: even force only takes the name', async () => {
    await reset()
    await daemon.ok(['run', '-d', '--name', 'runner', 'busybox', 'sleep', '100'])
    assert.match(await transcript(['rmi', 'busybox']), /must force/)
    assert.equal(await transcript(['rmi', '-f', 'busybox']), 'Untagged: busybox:latest\n0')
    assert.equal(
      await transcript(['rmi', '-f', short]),
      'Error response from daemon: conflict: unable to delete SHORT (cannot be forced) - image is being used by running container C\n1',
    )
    await daemon.ok(['tag', id, 'busybox'])
    await daemon.ok(['rm', '-f', 'runner'])
  })

  test('parents stay for their children and go with the last, each with its layers', async () => {
    await reset()
    for (const [name, from, to] of [
      ['c1', 'busybox', 'e:1'],
      ['c2', 'e:1', 'e:2'],
    ] as const) {
      await daemon.ok(['run', '--name', name, from, 'sh', '-c', `echo ${name} >/${name}`])
      await daemon.ok(['commit', name, to])
      await daemon.ok(['rm', name])
    }
    assert.equal(await transcript(['rmi', 'busybox']), 'Untagged: busybox:latest\n0')
    assert.equal(
      await transcript(['rmi', '-f', short]),
      'Error response from daemon: conflict: unable to delete SHORT (cannot be forced) - image has dependent child images\n1',
    )
    assert.equal((await daemon.ok(['images', '-aq'])).split('\n').length, 3)
    assert.equal((await daemon.ok(['images', '-q'])).split('\n').length, 2)
    assert.equal(await transcript(['rmi', 'e:1']), 'Untagged: e:1\n0')
    assert.equal(
      await transcript(['rmi', 'e:2']),
      `Untagged: e:2\n${layer}${layer}${layer}${layer}Deleted: ID\n${layer}0`,
    )
    assert.equal(await stored(), 0)
  })

  test('--no-prune leaves the parent', async () => {
    await reset()
    await daemon.ok(['create', '--name', 'only', 'busybox'])
    await daemon.ok(['commit', 'only', 'child:1'])
    await daemon.ok(['rm', 'only'])
    await daemon.ok(['rmi', 'busybox'])
    assert.match(await transcript(['rmi', '--no-prune', 'child:1']), /^Untagged: child:1\nDeleted: sha256:HEX\n0$/)
    assert.equal(await daemon.ok(['images', '-q', '--no-trunc']), id)
  })
})

describe('prune and disk usage', () => {
  /** Bytes of files below the directories of images. */
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

  test('df adds up with what is on the disk; prune gives back what it says', async () => {
    await reset()
    for (const name of ['keep', 'drop']) {
      await daemon.ok(['run', '--name', name, 'busybox', 'dd', 'if=/dev/zero', 'of=/big', 'bs=1000', 'count=2000'])
      await daemon.ok(['commit', name, ...(name === 'keep' ? ['keep:1'] : [])])
      await daemon.ok(['rm', name])
    }
    await daemon.ok(['create', '--name', 'user', 'keep:1'])
    // What a container has itself is the container's.
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

  test('prune by age and label; -a takes what no container uses', async () => {
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
  test('finds nothing wrong, and what nothing needs only when asked', async () => {
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
    // Loading it again heals all of it.
    await daemon.ok(['load', '-qi', archive])
    assert.deepEqual(await check(), { code: 0, lines: [''] })
  })

  test('what nothing needs is told, and pruned', async () => {
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
