/** Local images: lists with filters, names, inspect, history, removal, with the docker CLI and berth. Texts and
 *  order are those of a real dockerd. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import type { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { LocalImages } from '../../helpers/images/local-images.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

let images: LocalImages
let daemon: TestDaemon
let archive: string
let id: string
let short: string

before(async () => {
  images = await LocalImages.start()
  ;({ daemon, archive, id, short } = images)
})
after(() => images?.[Symbol.asyncDispose]())

const reset = () => images.reset()
const stored = () => images.stored()
const transcript = (args: readonly string[]) => images.transcript(args)

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
      // docker lists the repositories of one image in any order.
      const lines = (text: string) => text.split('\n').filter((line) => line !== '').sort() // biome-ignore format: one line
      assert.deepEqual(lines(await daemon.ok(all)), expected)
      assert.deepEqual(lines((await daemon.berth(all)).stdout), expected)
    })
  }

  test('unknown filters are refused', async () => {
    assert.match((await daemon.docker(['images', '-f', 'foo=bar'])).stderr, /invalid filter 'foo'/)
    assert.match((await daemon.docker(['images', '-f', 'dangling=x'])).stderr, /invalid filter 'dangling=/)
    assert.match((await daemon.docker(['images', '-f', 'before=nosuch'])).stderr, /No such image: nosuch:latest/)
    assert.match((await daemon.docker(['images', '-f', 'reference=[a'])).stderr, /syntax error in pattern/)
  })

  test('the API shows shared sizes and manifests', async () => {
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

  test('inspect shows where the files are', async () => {
    const { Data, Name } = JSON.parse(await daemon.ok(['inspect', '-f', '{{json .GraphDriver}}', 'busybox']))
    assert.equal(Name, 'overlay2')
    assert.deepEqual(Object.keys(Data).sort(), ['MergedDir', 'UpperDir', 'WorkDir'])
    assert.ok(statSync(join(Data.UpperDir, 'bin/busybox')).isFile())
  })
})

test('digests are listed; an image that only a digest names is dangling', async () => {
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
  test('untags while there are other names, deletes with the last one', async () => {
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

  test('removes by a part of the id, and with force all names in order', async () => {
    await reset()
    assert.equal(await transcript(['rmi', short.slice(0, 5)]), `Untagged: busybox:latest\nDeleted: ID\n${layer}0`)
    await daemon.ok(['load', '-qi', archive])
    await daemon.ok(['tag', 'busybox', 'a:1'])
    assert.equal(
      await transcript(['rmi', '-f', short]),
      `Untagged: a:1\nUntagged: busybox:latest\nDeleted: ID\n${layer}0`,
    )
  })

  test("of a stopped container's image is refused, or forced; its files stay until the container is removed", async () => {
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

  test("of a running container's image removes only the name, even with force", async () => {
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

  test('keeps parents while they have children, and removes them and their layers with the last one', async () => {
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

  test('--no-prune keeps the parent', async () => {
    await reset()
    await daemon.ok(['create', '--name', 'only', 'busybox'])
    await daemon.ok(['commit', 'only', 'child:1'])
    await daemon.ok(['rm', 'only'])
    await daemon.ok(['rmi', 'busybox'])
    assert.match(await transcript(['rmi', '--no-prune', 'child:1']), /^Untagged: child:1\nDeleted: sha256:HEX\n0$/)
    assert.equal(await daemon.ok(['images', '-q', '--no-trunc']), id)
  })
})
