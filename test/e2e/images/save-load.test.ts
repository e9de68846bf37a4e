/** save and load, and an image's way through the archives of docker, podman and skopeo and back. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { runCommand, runOrThrow } from '../../helpers/command.ts'
import { openRequest } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { type MadeImage, makeImage, ociLayout } from '../../helpers/images/archives.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let root: string
/** Two layers that both images share, one of their own each, and changes of files below. */
let one: MadeImage
let two: MadeImage

const base = { 'bin/tool': 'a program', 'etc/gone': 'x', 'usr/share/large': Buffer.alloc(1_500_000, 'text ') }

before(async () => {
  root = mkdtempSync('/tmp/b-sl-')
  daemon = await TestDaemon.start()
  one = await makeImage([base, { 'etc/.wh.gone': '', 'etc/new': 'y' }, { one: '1' }], {
    Cmd: ['/bin/tool'],
    Labels: { a: 'b' },
  })
  two = await makeImage([base, { 'etc/.wh.gone': '', 'etc/new': 'y' }, { two: '2' }])
  // Compressed layers, as a registry sends them.
  await load(await ociLayout(one, 'docker.io/library/one:1', gzipSync, 'application/vnd.oci.image.layer.v1.tar+gzip'))
  await load(await ociLayout(two, 'quay.io/team/two:latest'))
  await daemon.ok(['tag', 'one:1', 'one:again'])
  await daemon.ok(['tag', 'one:1', 'other/name:x'])
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(root, { recursive: true, force: true })
})

async function load(archive: Buffer): Promise<string> {
  const path = join(root, 'load.tar')
  writeFileSync(path, archive)
  return await daemon.ok(['load', '-i', path])
}

async function save(...names: readonly string[]): Promise<string> {
  const path = join(root, `${names.join('-').replaceAll(/[/:]/g, '_')}.tar`)
  await daemon.ok(['save', '-o', path, ...names])
  return path
}

const idOf = (name: string) => daemon.ok(['inspect', '-f', '{{.Id}}', name])
const member = (archive: string, path: string) => runOrThrow('tar', ['-xOf', archive, path])
const members = async (archive: string) => (await runOrThrow('tar', ['-tf', archive])).split('\n')

interface ManifestItem {
  readonly Config: string
  readonly RepoTags: readonly string[] | null
  readonly Layers: readonly string[]
}
async function manifestOf(archive: string): Promise<ManifestItem[]> {
  return JSON.parse(await member(archive, 'manifest.json')) as ManifestItem[]
}

describe('save', () => {
  test('writes one archive that is both an OCI layout and a docker-archive, with the same bytes each time', async () => {
    const archive = await save('one:1')
    const bytes = readFileSync(archive)
    assert.ok(readFileSync(await save('one:1')).equals(bytes))
    await daemon.restart()
    assert.ok(readFileSync(await save('one:1')).equals(bytes))
    const direct = await openRequest(daemon.socket, 'GET', '/images/one:1/get')
    assert.deepEqual(
      [direct.statusCode, direct.headers['content-type'], direct.headers['content-length']],
      [200, 'application/x-tar', String(bytes.length)],
    )
    assert.ok(Buffer.concat(await direct.toArray()).equals(bytes))
    const [item] = await manifestOf(archive)
    assert.deepEqual(item?.RepoTags, ['one:1'])
    assert.equal(item?.Config, `blobs/sha256/${one.id.slice(7)}`)
    const index = JSON.parse(await member(archive, 'index.json')) as {
      manifests: { digest: string; annotations: object }[]
    }
    assert.deepEqual(index.manifests[0]?.annotations, {
      'io.containerd.image.name': 'docker.io/library/one:1',
      'org.opencontainers.image.ref.name': '1',
    })
    assert.equal(await member(archive, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
    for (const path of (await members(archive)).filter((name) => /[0-9a-f]{64}$/.test(name))) {
      const digest = await runOrThrow('sh', ['-c', `tar -xOf ${archive} ${path} | sha256sum`])
      assert.equal(digest.slice(0, 64), path.slice(-64))
    }
  })

  test('takes several names, a repository with all its tags, and ids, and stores shared layers once', async () => {
    const both = await save('one', 'quay.io/team/two', 'one:1')
    const items = await manifestOf(both)
    assert.deepEqual(
      items.map(({ RepoTags }) => RepoTags),
      [['one:1', 'one:again'], ['quay.io/team/two:latest']],
    )
    assert.deepEqual(new Set(await members(both)).size, (await members(both)).length)
    assert.deepEqual(Object.keys(JSON.parse(await member(both, 'repositories')) as object), ['one', 'quay.io/team/two'])
    for (const name of [one.id, one.id.slice(7, 19)]) {
      const byId = await save(name)
      assert.deepEqual((await manifestOf(byId))[0]?.RepoTags, null)
      assert.ok(!(await members(byId)).includes('repositories'))
      const loaded = await daemon.ok(['load', '-i', byId])
      assert.equal(loaded, `Loaded image ID: ${one.id}`)
    }
    // Each layer of the two once, though all are uncompressed in one image and compressed in the other.
    await load(await ociLayout(one, 'docker.io/library/plain:1'))
    assert.equal(await idOf('plain:1'), one.id)
  })

  test('refuses what docker refuses', async () => {
    for (const [names, message] of [
      [['nosuch'], 'No such image: nosuch'],
      [['nosuch:1'], 'reference does not exist'],
      [['one:1', 'nosuch:1'], 'reference does not exist'],
      [['UP'], 'invalid reference format: repository name (library/UP) must be lowercase'],
      [['aaaa0000'], 'No such image: aaaa0000'],
    ] as const) {
      const { code, stdout, stderr } = await daemon.docker(['save', ...names])
      assert.deepEqual([code, stdout, stderr.trim()], [1, '', `Error response from daemon: ${message}`])
    }
    const platform = await daemon.docker(['save', '--platform', 'linux/s390x', 'one:1'])
    assert.match(platform.stderr, /one:1 was found but .*platform/)
    assert.equal((await daemon.api('GET', '/images/get')).status, 400)
    assert.equal((await daemon.api('GET', '/images/one:1/get?platform=linux')).status, 400)
  })

  test('berth writes a file only when all of it has arrived, and never to a terminal', async () => {
    const path = join(root, 'berth.tar')
    assert.equal((await daemon.berth(['save', '-o', path, 'one:1'])).code, 0)
    assert.ok(readFileSync(path).equals(readFileSync(await save('one:1'))))
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const piped = await runOrThrow('sh', ['-c', `bin/berth -H ${daemon.host} image save one:1 | sha256sum`])
    assert.equal(piped.slice(0, 64), createHash('sha256').update(readFileSync(path)).digest('hex'))
    writeFileSync(path, 'before')
    assert.equal((await daemon.berth(['save', '-o', path, 'nosuch:1'])).code, 1)
    assert.equal(readFileSync(path, 'utf8'), 'before')
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith('.tmp')),
      [],
    )
    symlinkSync(path, join(root, 'link'))
    for (const [target, message] of [
      [root, 'cannot write to a directory'],
      [join(root, 'link'), 'cannot write to a symbolic link directly'],
      ['/dev/null', 'cannot write to a character device file'],
      [join(root, 'none/x.tar'), `invalid output path: stat ${root}/none: no such file or directory`],
    ] as const) {
      for (const client of ['berth', 'docker'] as const) {
        const { code, stderr } = await daemon[client](['save', '-o', target, 'one:1'])
        assert.deepEqual([code, stderr.trim()], [1, `failed to save image: ${message}`], client)
      }
    }
    const terminal = daemon.terminal(['save', 'one:1'], undefined, join(import.meta.dirname, '../../../bin/berth'))
    await terminal.sees('cowardly refusing to save to a terminal. Use the -o flag or redirect')
    await terminal.ended
  })

  test('a client that disconnects in the middle does not block others', async () => {
    await load(await ociLayout(await makeImage([{ big: Buffer.alloc(30_000_000, 'x') }]), 'docker.io/library/big:1'))
    const response = await openRequest(daemon.socket, 'GET', '/images/big:1/get')
    await new Promise((resolve) => response.once('data', resolve))
    response.destroy()
    await daemon.ok(['rmi', 'big:1'])
    const blobs = join(daemon.dataRoot, 'content/blobs/sha256')
    const isGone = () => readdirSync(blobs).every((name) => statSync(join(blobs, name)).size < 30_000_000)
    await until(
      async () => {
        await daemon.ok(['image', 'prune', '-f'])
        return isGone()
      },
      { what: 'the layer to be freed' },
    )
  })
})

/** The parts that must stay the same. */
async function factsOf(run: (args: readonly string[]) => Promise<string>, name: string): Promise<unknown> {
  const [image] = JSON.parse(await run(['inspect', name])) as {
    Id: string
    RootFS: { Layers: string[] }
    Config: Record<string, unknown>
  }[]
  const history = await run(['history', '--no-trunc', '--format', '{{.CreatedBy}} {{.Comment}}', name])
  return { id: image?.Id.replace('sha256:', ''), layers: image?.RootFS.Layers, cmd: image?.Config.Cmd, history }
}

describe('round trips keep id, layers and history', () => {
  const ours = (args: readonly string[]) => daemon.ok(args)

  /** Removes the image, loads the archive, and checks that everything is as before. */
  async function comesBack(archive: string, name: string): Promise<void> {
    const before = await factsOf(ours, one.id)
    await daemon.ok(['rmi', '-f', one.id])
    assert.match(await daemon.ok(['load', '-i', archive]), new RegExp(`^Loaded image: ${name}$`, 'm'))
    assert.deepEqual(await factsOf(ours, name), before)
    if (name !== 'one:1') await daemon.ok(['tag', name, 'one:1'])
  }

  test('through dockerd, also with images of two archives in one', async () => {
    await using dockerd = await StockDocker.start()
    const archive = await save('one:1', 'quay.io/team/two')
    assert.match(
      await dockerd.ok(['load', '-i', archive]),
      /Loaded image: one:1\nLoaded image: quay.io\/team\/two:latest/,
    )
    for (const name of ['one:1', 'quay.io/team/two:latest']) {
      assert.deepEqual(await factsOf((args) => dockerd.ok(args), name), await factsOf(ours, name))
    }
    const back = join(root, 'dockerd.tar')
    await dockerd.ok(['save', '-o', back, 'one:1', 'quay.io/team/two'])
    await daemon.ok(['rmi', '-f', two.id])
    await comesBack(back, 'one:1')
    assert.equal(await idOf('quay.io/team/two'), two.id)
    // An image from that program can also be loaded there again from Berth's archive.
    await dockerd.ok(['rmi', 'one:1'])
    await dockerd.ok(['load', '-i', await save('one:1')])
    assert.equal(await dockerd.ok(['inspect', '-f', '{{.Id}}', 'one:1']), one.id)
  })

  test('through podman, in both of its formats', async () => {
    const podman = (args: readonly string[]) =>
      runOrThrow('podman', [
        '--root',
        join(root, 'pm'),
        '--runroot',
        join(root, 'pmr'),
        '--tmpdir',
        join(root, 'pmt'),
        ...args,
      ])
    await podman(['load', '-q', '-i', await save('one:1')])
    assert.deepEqual(await factsOf(podman, 'one:1'), await factsOf(ours, 'one:1'))
    for (const format of ['docker-archive', 'oci-archive']) {
      const back = join(root, `podman-${format}.tar`)
      await podman(['save', '-q', '--format', format, '-o', back, 'docker.io/library/one:1'])
      await comesBack(back, 'one:1')
    }
    await podman(['rmi', '-a', '-f'])
  })

  test("through skopeo; an OCI layout keeps the manifest's digest", async () => {
    const skopeo = (args: readonly string[]) => runOrThrow('skopeo', ['--insecure-policy', ...args])
    const digestOf = (archive: string, name: string) =>
      skopeo(['inspect', '--format', '{{.Digest}}', `oci-archive:${archive}${name}`])
    await load(await ociLayout(one, 'docker.io/library/one:1', gzipSync, 'application/vnd.oci.image.layer.v1.tar+gzip'))
    await daemon.ok(['rmi', '-f', one.id])
    await load(await ociLayout(one, 'docker.io/library/one:1', gzipSync, 'application/vnd.oci.image.layer.v1.tar+gzip'))
    const archive = await save('one:1')
    const layout = join(root, 'skopeo-oci.tar')
    await skopeo(['copy', '-q', `oci-archive:${archive}:1`, `oci-archive:${layout}:one:1`])
    assert.equal(await digestOf(layout, ':one:1'), await digestOf(archive, ''))
    await comesBack(layout, 'one:1')
    const again = await save('one:1')
    assert.equal(await digestOf(again, ''), await digestOf(archive, ''))
    assert.ok(readFileSync(again).equals(readFileSync(archive)))
    const docker = join(root, 'skopeo-docker.tar')
    await skopeo(['copy', '-q', `docker-archive:${archive}`, `docker-archive:${docker}:one:2`])
    await comesBack(docker, 'one:2')
  })
})

describe('load', () => {
  test('reads compressed archives from a file and from stdin', async () => {
    const plain = await save('one:1')
    for (const [program, args] of [
      ['gzip', ['-kf', '-1']],
      ['zstd', ['-kfq', '-1']],
      ['xz', ['-kf', '-1']],
      ['bzip2', ['-kf', '-1']],
    ] as const) {
      await runOrThrow(program, [...args, plain])
      const packed = `${plain}.${{ gzip: 'gz', zstd: 'zst', xz: 'xz', bzip2: 'bz2' }[program]}`
      await daemon.ok(['rmi', '-f', one.id])
      assert.equal(await daemon.ok(['load'], { input: readFileSync(packed) }), 'Loaded image: one:1')
      assert.equal(await daemon.ok(['load', '-q', '-i', packed]), 'Loaded image: one:1')
      assert.equal(await idOf('one:1'), one.id)
    }
  })

  test('shows layers on a terminal, and only names with --quiet', async () => {
    const plain = await save('one:1')
    await daemon.ok(['rmi', '-f', one.id])
    const shown = await daemon.terminal(['load', '-i', plain]).ended
    assert.match(shown.stdout, /[0-9a-f]{12}: Loading layer +1\.504MB\/1\.504MB/)
    assert.match(shown.stdout, /Loaded image: one:1/)
    const quiet = await daemon.terminal(['load', '-q', '-i', plain]).ended
    assert.equal(quiet.stdout.trim(), 'Loaded image: one:1')
  })

  test('names the error and keeps nothing', async () => {
    const blobs = () => readdirSync(join(daemon.dataRoot, 'content/blobs/sha256')).sort()
    const archive = readFileSync(await save('one:1'))
    await daemon.ok(['rmi', '-f', one.id])
    const before = blobs()
    const damaged = Buffer.from(archive)
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 2000) ^ 1, damaged.length - 2000)
    for (const [bytes, message] of [
      [damaged, /blobs\/sha256\/[0-9a-f]{64}/],
      [archive.subarray(0, archive.length / 2), /too early|no file/],
      [gzipSync(archive).subarray(0, 2000), /damaged gzip data|too early/],
      [Buffer.from('text '.repeat(1000)), /invalid tar archive/],
      [Buffer.alloc(0), /unrecognized image format/],
    ] as const) {
      const { code, stderr } = await daemon.docker(['load'], { input: bytes })
      assert.equal(code, 1, String(message))
      assert.match(stderr, message)
      assert.deepEqual(blobs(), before)
    }
    for (const client of ['docker', 'berth'] as const) {
      const missing = await daemon[client](['load', '-i', join(root, 'none.tar')])
      assert.deepEqual([missing.code, missing.stderr.trim()], [1, `open ${root}/none.tar: no such file or directory`])
    }
    assert.equal((await runCommand('docker', ['-H', daemon.host, 'images', '-q', 'one'])).stdout, '')
    mkdirSync(join(root, 'directory'))
    assert.equal((await daemon.berth(['load', '-i', join(root, 'directory')])).code, 1)
  })
})
