/** Images: pull from a real registry, load, import, list, inspect, tag, remove. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

let daemon: TestDaemon
let registry: TestRegistry
let archive: string
let id: string
/** The manifest of the image whose pull fails, followed by the manifest's digest. */
let brokenPull = ''

before(async () => {
  daemon = await TestDaemon.start()
  registry = await TestRegistry.start()
  archive = join(daemon.root, 'busybox.tar')
  id = await writeBusyboxArchive({
    path: archive,
    config: { Cmd: ['sh', '-c', 'echo from the image'], Labels: { a: 'b' } },
  })
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
})

describe('pull', () => {
  test('by tag; run uses the image; a second pull is up to date', async () => {
    const reference = await registry.push(archive, 'busybox:1')
    const output = await daemon.ok(['pull', reference])
    assert.match(output, /1: Pulling from busybox/)
    assert.match(output, /Pull complete/)
    assert.match(output, /Digest: sha256:[0-9a-f]{64}/)
    assert.match(output, new RegExp(`Status: Downloaded newer image for ${reference}`))
    assert.equal(await daemon.ok(['run', '--rm', reference]), 'from the image')
    assert.match(await daemon.ok(['pull', reference]), new RegExp(`Status: Image is up to date for ${reference}`))
  })

  test('by digest', async () => {
    const reference = await registry.push(archive, 'digest:1')
    const raw = await runOrThrow('skopeo', [
      'inspect',
      '--tls-verify=false',
      '--format',
      '{{.Digest}}',
      `docker://${reference}`,
    ])
    const byDigest = `${registry.name}/digest@${raw}`
    await daemon.ok(['pull', byDigest])
    assert.equal(await daemon.ok(['run', '--rm', byDigest]), 'from the image')
    assert.ok((await daemon.ok(['inspect', '-f', '{{json .RepoDigests}}', byDigest])).includes(byDigest))
  })

  for (const [name, flags] of [
    ['oci', ['--format', 'oci']],
    ['zstd', ['--format', 'oci', '--dest-compress-format', 'zstd']],
    ['schema2', ['--format', 'v2s2']],
  ] as const) {
    test(`manifests and layers: ${name}`, async () => {
      const path = join(daemon.root, `${name}.tar`)
      await writeBusyboxArchive({
        path,
        config: { Cmd: ['echo', name] },
        prepare: (root) => void runOrThrow('sh', ['-c', `echo ${name} >${root}/etc/kind`]),
      })
      const reference = await registry.push(path, `${name}:latest`, flags)
      assert.equal(await daemon.ok(['run', '--rm', '-q', reference]), name)
    })
  }

  test('run pulls a missing image and says so', async () => {
    const reference = await registry.push(archive, 'missing:1')
    const { code, stdout, stderr } = await daemon.docker(['run', '--rm', reference])
    assert.equal(code, 0)
    assert.equal(stdout, 'from the image\n')
    assert.match(stderr, new RegExp(`Unable to find image '${reference}' locally`))
  })

  test('--pull never and always', async () => {
    const reference = await registry.push(archive, 'policy:1')
    const never = await daemon.docker(['run', '--rm', '--pull', 'never', reference])
    assert.equal(never.code, 125)
    assert.equal(await daemon.ok(['run', '--rm', '--pull', 'always', '-q', reference]), 'from the image')
  })

  test('a missing image and a missing registry give errors', async () => {
    const unknown = await daemon.docker(['pull', `${registry.name}/no-such:1`])
    assert.equal(unknown.code, 1)
    assert.match(unknown.stderr, /not found|manifest unknown/)
    const refused = await daemon.docker(['pull', '127.0.0.1:1/x'])
    assert.equal(refused.code, 1)
    assert.match(refused.stderr, /connection refused|ECONNREFUSED/i)
    const wrong = await daemon.docker(['pull', 'upper/CASE'])
    assert.match(wrong.stderr, /invalid reference format/)
  })

  test('a blob with a wrong digest is refused, and nothing of it stays', async () => {
    const path = join(daemon.root, 'broken.tar')
    await writeBusyboxArchive({
      path,
      config: { Cmd: ['broken'] },
      prepare: (root) => void runOrThrow('sh', ['-c', `echo x >${root}/etc/broken`]),
    })
    const reference = await registry.push(path, 'broken:1')
    const raw = await runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${reference}`])
    const manifest = JSON.parse(raw)
    const digest: string = manifest.layers[0].digest.slice(7)
    brokenPull = raw + createHash('sha256').update(raw).digest('hex')
    const blob = join(registry.storage, `docker/registry/v2/blobs/sha256/${digest.slice(0, 2)}/${digest}/data`)
    truncateSync(blob, readFileSync(blob).length - 100)
    const { code } = await daemon.docker(['pull', reference])
    assert.equal(code, 1)
    assert.equal((await daemon.docker(['inspect', reference])).code, 1)
  })

  test('concurrent pulls share their layers', async () => {
    // One after the other: the registry loses blobs when several clients upload the same at once.
    const references: string[] = []
    for (const tag of ['a', 'b', 'c', 'd']) references.push(await registry.push(archive, `shared:${tag}`))
    await Promise.all(references.map((reference) => daemon.ok(['pull', '-q', reference])))
    const ids = await Promise.all(references.map((reference) => daemon.ok(['inspect', '-f', '{{.Id}}', reference])))
    assert.equal(new Set(ids).size, 1)
  })

  test('berth pull', async () => {
    const reference = await registry.push(archive, 'berth:1')
    const { code, stdout } = await daemon.berth(['pull', reference])
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`${reference}\n$`))
  })
})

describe('load and import', () => {
  test('load reads a docker-archive, plain, gzip and zstd', async () => {
    assert.equal(await daemon.ok(['load', '-i', archive]), 'Loaded image: busybox:latest')
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', 'busybox']), id)
    await runOrThrow('gzip', ['-kf', archive])
    assert.equal(await daemon.ok(['load', '-i', `${archive}.gz`]), 'Loaded image: busybox:latest')
    assert.equal(await daemon.ok(['load'], { input: readFileSync(archive) }), 'Loaded image: busybox:latest')
  })

  test('load reads an OCI layout', async () => {
    const layout = join(daemon.root, 'layout.tar')
    await runOrThrow('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      `docker-archive:${archive}`,
      `oci-archive:${layout}:layout:1`,
    ])
    await daemon.ok(['load', '-i', layout])
    assert.equal(await daemon.ok(['run', '--rm', 'layout:1']), 'from the image')
  })

  test('load refuses anything else', async () => {
    const { code } = await daemon.docker(['load'], { input: 'this is no archive'.repeat(1000) })
    assert.equal(code, 1)
  })

  test('import makes an image of a root filesystem', async () => {
    const rootfs = join(daemon.root, 'rootfs.tar')
    await runOrThrow('sh', [
      '-c',
      `mkdir -p ${daemon.root}/r/bin && cp /bin/busybox ${daemon.root}/r/bin/ && tar -C ${daemon.root}/r -cf ${rootfs} .`,
    ])
    const imported = await daemon.ok(['import', '-c', 'CMD ["/bin/busybox","echo","imported"]', rootfs, 'imported:1'])
    assert.match(imported, /^sha256:[0-9a-f]{64}$/)
    assert.equal(await daemon.ok(['run', '--rm', 'imported:1']), 'imported')
  })
})

describe('list, inspect, tag, remove', () => {
  before(() => daemon.ok(['load', '-q', '-i', archive]))

  test('images', async () => {
    const rows = await daemon.ok(['images', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}'])
    assert.ok(rows.split('\n').includes(`busybox:latest ${id.slice(7, 19)}`), rows)
    assert.equal(await daemon.ok(['images', '-q', '--no-trunc', 'busybox']), id)
    assert.equal(await daemon.ok(['images', '-q', '--filter', 'reference=busy*:latest']), id.slice(7, 19))
    assert.equal(await daemon.ok(['images', '-q', '--filter', 'label=a=c']), '')
    assert.notEqual(await daemon.ok(['images', '-q', '--filter', 'label=a=b']), '')
  })

  test('inspect', async () => {
    const [image] = JSON.parse(await daemon.ok(['image', 'inspect', 'busybox']))
    assert.equal(image.Id, id)
    assert.equal(image.Os, 'linux')
    assert.ok(image.RepoTags.includes('busybox:latest'))
    assert.equal(image.RootFS.Type, 'layers')
    assert.equal(image.RootFS.Layers.length, 1)
    assert.ok(image.Size > 1_000_000)
    assert.deepEqual(image.Config.Cmd, ['sh', '-c', 'echo from the image'])
    const missing = await daemon.docker(['image', 'inspect', 'no-such'])
    assert.equal(missing.code, 1)
    assert.match(missing.stderr, /No such image: no-such/)
  })

  test('tag and rmi: an image is removed with its last name', async () => {
    const path = join(daemon.root, 'single.tar')
    const single = await writeBusyboxArchive({ path, reference: 'single:1', config: { Cmd: ['single'] } })
    await daemon.ok(['load', '-q', '-i', path])
    await daemon.ok(['tag', 'single:1', 'other/name:2'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', 'other/name:2']), single)
    assert.equal(await daemon.ok(['rmi', 'single:1']), 'Untagged: single:1')
    assert.match(await daemon.ok(['rmi', 'other/name:2']), new RegExp(`Untagged: other/name:2\nDeleted: ${single}`))
    assert.equal((await daemon.docker(['inspect', single])).code, 1)
  })

  test('an image in use needs force', async () => {
    const path = join(daemon.root, 'used.tar')
    await writeBusyboxArchive({ path, reference: 'used:1', config: { Cmd: ['sleep', '1000'] } })
    await daemon.ok(['load', '-q', '-i', path])
    const container = await daemon.ok(['run', '-d', 'used:1'])
    const refused = await daemon.docker(['rmi', 'used:1'])
    assert.equal(refused.code, 1)
    assert.match(
      refused.stderr,
      /conflict: unable to remove repository reference "used:1" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/,
    )
    await daemon.ok(['rm', '-f', container])
    await daemon.ok(['rmi', 'used:1'])
  })

  test('removing every image leaves no layer and no mount behind', async () => {
    const ids = [...new Set((await daemon.ok(['images', '-aq'])).split('\n'))].filter((each) => each !== '')
    await daemon.ok(['rmi', '-f', ...ids])
    assert.equal(await daemon.ok(['images', '-q']), '')
    assert.deepEqual(mountsBelow(daemon.root), [])
    const blobs = readdirSync(join(daemon.dataRoot, 'content/blobs/sha256'))
    // Downloads of a failed pull and replaced manifests stay for a day; layers do not.
    const layers = blobs.filter((name) => {
      const bytes = readFileSync(join(daemon.dataRoot, 'content/blobs/sha256', name))
      return bytes[0] !== '{'.charCodeAt(0) && !brokenPull.includes(name)
    })
    assert.deepEqual(layers, [])
    // A prune removes these as well.
    await daemon.ok(['image', 'prune', '-f'])
    assert.deepEqual(readdirSync(join(daemon.dataRoot, 'content/blobs/sha256')), [])
  })
})
