/** Push with the official CLI and with berth to Debian's docker-registry; skopeo checks what arrived. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { UploadCutter } from '../../helpers/registries/upload-cutter.ts'

const clients = ['docker', 'berth'] as const
const uploadBytes = 6 << 20
let work: string
let daemon: TestDaemon
let registry: TestRegistry
let archive: string

before(async () => {
  work = mkdtempSync('/tmp/b-push-')
  daemon = await TestDaemon.start()
  registry = await TestRegistry.start()
  archive = join(work, 'box.tar')
  await writeBusyboxArchive({ path: archive, reference: 'box:1' })
  await daemon.ok(['load', '-q', '-i', archive])
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  rmSync(work, { recursive: true, force: true })
})

const raw = (reference: string, flags: readonly string[] = []): Promise<string> =>
  runOrThrow('skopeo', ['inspect', '--raw', '--tls-verify=false', ...flags, `docker://${reference}`])

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

async function repoDigests(name: string): Promise<readonly string[]> {
  return JSON.parse(await daemon.ok(['image', 'inspect', '-f', '{{json .RepoDigests}}', name]))
}

/** Loads an image with a layer that no compression makes smaller. */
async function loadBig(reference: string, sizeBytes = uploadBytes): Promise<void> {
  const path = join(work, 'big.tar')
  await writeBusyboxArchive({
    path,
    reference,
    prepare: (root) => {
      rmSync(join(root, 'bin'), { recursive: true })
      writeFileSync(join(root, 'noise'), randomBytes(sizeBytes))
    },
  })
  await daemon.ok(['load', '-q', '-i', path])
  rmSync(path)
}

for (const client of clients) {
  test(`${client} push: the registry gets the digest that was shown, and the image runs after a pull`, async () => {
    const name = `${registry.name}/${client}/app:1`
    await daemon.ok(['tag', 'box:1', name])
    const { code, stdout, stderr } = await daemon[client](['push', name])
    assert.equal(code, 0, stderr)
    const digest = digestOf(await raw(name))
    const repository = name.replace(/:1$/, '')
    const [refers, ...lines] = stdout.trimEnd().split('\n')
    assert.equal(refers, `The push refers to repository [${repository}]`)
    assert.match(lines.at(-2) ?? '', /^[0-9a-f]{12}: (Pushed|Mounted from docker\/app)$/)
    assert.match(lines.at(-1) ?? '', new RegExp(`^1: digest: ${digest} size: \\d+$`))
    assert.ok((await repoDigests(name)).includes(`${repository}@${digest}`))

    const again = await daemon[client](['push', name])
    assert.match(again.stdout, /^[0-9a-f]{12}: Layer already exists$/m)
    const quiet = await daemon[client](['push', '-q', name])
    assert.deepEqual([quiet.stdout, quiet.stderr, quiet.code], [`${name}\n`, '', 0])

    await daemon.ok(['rmi', name])
    await daemon.ok(['pull', '-q', name])
    assert.equal(await daemon.ok(['run', '--rm', name, 'echo', 'here']), 'here')
  })
}

test("the stream has the same form as dockerd's", async () => {
  const name = `${registry.name}/stream/app`
  await daemon.ok(['tag', 'box:1', `${name}:1`])
  await daemon.ok(['push', '-q', `${name}:1`])
  const { status, text, headers } = await daemon.api('POST', `/images/${name}/push?tag=1`)
  const digest = digestOf(await raw(`${name}:1`))
  const size = Buffer.byteLength(await raw(`${name}:1`))
  const id = /"id":"([0-9a-f]{12})"/.exec(text)?.[1]
  assert.deepEqual([status, headers['content-type']], [200, 'application/json'])
  assert.equal(
    text,
    [
      `{"status":"The push refers to repository [${name}]"}`,
      `{"status":"Preparing","progressDetail":{},"id":"${id}"}`,
      `{"status":"Layer already exists","progressDetail":{},"id":"${id}"}`,
      `{"status":"1: digest: ${digest} size: ${size}"}`,
      `{"progressDetail":{},"aux":{"Tag":"1","Digest":"${digest}","Size":${size}}}`,
      '',
    ].join('\r\n'),
  )
})

test('the official CLI shows the same as with dockerd', async () => {
  await using stock = await StockDocker.start()
  await stock.ok(['load', '-q', '-i', archive])
  const shown = async (engine: Pick<TestDaemon, 'docker' | 'ok'>): Promise<readonly string[]> => {
    await using empty = await TestRegistry.start()
    const all: string[] = []
    for (const [tags, args] of [
      [['app:1'], ['app:1']],
      [[], ['app:1']],
      [
        ['app:2', 'app:3'],
        ['-a', 'app'],
      ],
      [['other:1'], ['other:1']],
      [[], ['-q', 'app:1']],
      [[], ['app:9']],
      [[], ['none']],
    ] as const) {
      for (const tag of tags) await engine.ok(['tag', 'box:1', `${empty.name}/x/${tag}`])
      const names = args.map((arg) => (arg.startsWith('-') ? arg : `${empty.name}/x/${arg}`))
      const { code, stdout, stderr } = await engine.docker(['push', ...names])
      const text = `${args.join(' ')}: ${code}\n${stdout}${stderr}`.replaceAll(empty.name, 'REGISTRY')
      all.push(text.replaceAll(/sha256:[0-9a-f]{64} size: \d+/g, 'DIGEST'))
    }
    return all
  }
  assert.deepEqual(await shown(daemon), await shown(stock))
})

describe('a pulled image is pushed unchanged', () => {
  for (const [kind, flags] of [
    ['oci', ['--format', 'oci']],
    ['zstd', ['--format', 'oci', '--dest-compress-format', 'zstd']],
    ['schema2', ['--format', 'v2s2']],
  ] as const) {
    test(kind, async () => {
      const path = join(work, `${kind}.tar`)
      await writeBusyboxArchive({ path, prepare: (root) => writeFileSync(join(root, 'kind'), kind) })
      const source = await registry.push(path, `from/${kind}:1`, flags)
      await using other = await TestRegistry.start()
      const target = `${other.name}/to/${kind}:1`
      await daemon.ok(['pull', '-q', source])
      await daemon.ok(['tag', source, target])
      await daemon.ok(['push', '-q', target])
      assert.equal(await raw(target), await raw(source))
      assert.equal(await raw(target, ['--config']), await raw(source, ['--config']))
    })
  }
})

test('blobs of another repository are mounted; -a pushes all tags', async () => {
  const first = `${registry.name}/mount/first`
  const second = `${registry.name}/mount/second`
  await loadBig('big:1', 100_000)
  await daemon.ok(['tag', 'big:1', `${first}:1`])
  await daemon.ok(['push', '-q', `${first}:1`])
  for (const tag of ['a', 'b']) await daemon.ok(['tag', 'big:1', `${second}:${tag}`])
  const output = await daemon.ok(['push', '-a', second])
  assert.match(output, /^[0-9a-f]{12}: Mounted from mount\/first$/m)
  const digest = digestOf(await raw(`${first}:1`))
  assert.deepEqual(
    output.split('\n').flatMap((line) => /^\w+: digest: \S+/.exec(line)?.[0] ?? []),
    [`a: digest: ${digest}`, `b: digest: ${digest}`],
  )
  assert.equal(await raw(`${second}:b`), await raw(`${first}:1`))
})

test('an image without a manifest is compressed once and keeps its digest afterwards', async () => {
  await daemon.ok(['tag', 'box:1', `${registry.name}/kept/one:1`])
  await daemon.ok(['push', '-q', `${registry.name}/kept/one:1`])
  const manifest = await raw(`${registry.name}/kept/one:1`)
  const { layers } = JSON.parse(manifest) as { layers: { mediaType: string; size: number }[] }
  assert.deepEqual(
    layers.map(({ mediaType }) => mediaType),
    ['application/vnd.oci.image.layer.v1.tar+gzip'],
  )
  await using other = await TestRegistry.start()
  await daemon.ok(['tag', 'box:1', `${other.name}/two:1`])
  await daemon.ok(['push', '-q', `${other.name}/two:1`])
  assert.equal(await raw(`${other.name}/two:1`), manifest)
  // The same image, loaded by another engine, gives the same bytes.
  await using second = await TestDaemon.start()
  await second.ok(['load', '-q', '-i', archive])
  await second.ok(['tag', 'box:1', `${other.name}/three:1`])
  await second.ok(['push', '-q', `${other.name}/three:1`])
  assert.equal(await raw(`${other.name}/three:1`), manifest)
})

describe('an index', () => {
  const indexType = 'application/vnd.oci.image.index.v1+json'
  /** Pushes an index with the manifest of `reference` and these other ones; returns its text. */
  async function putIndex(reference: string, tag: string, others: readonly object[]): Promise<string> {
    const [host = '', repository = ''] = [
      reference.slice(0, reference.indexOf('/')),
      reference.slice(reference.indexOf('/') + 1, reference.lastIndexOf(':')),
    ]
    const manifest = await raw(reference)
    const own = {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf(manifest),
      size: Buffer.byteLength(manifest),
      platform: { os: 'linux', architecture: process.arch === 'arm64' ? 'arm64' : 'amd64' },
    }
    const text = JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [own, ...others] })
    const headers = { 'Content-Type': indexType }
    const answer = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
      method: 'PUT',
      headers,
      body: text,
    })
    assert.equal(answer.status, 201, await answer.text())
    return text
  }

  test('is pushed whole if all of it is stored; otherwise the stored manifest is pushed, with a note', async () => {
    const name = await registry.push(archive, 'index/app:plain', ['--format', 'oci'])
    const repository = name.replace(/:plain$/, '')
    const whole = await putIndex(name, 'whole', [])
    const plain = await raw(name)
    // Another platform's manifest must exist in the registry, so it is the same one under another platform.
    const foreign = { ...JSON.parse(whole).manifests[0], platform: { os: 'linux', architecture: 's390x' } }
    const elsewhere = plain.replace('{', '{ ')
    const put = await fetch(`http://${registry.name}/v2/index/app/manifests/s390x`, {
      method: 'PUT',
      headers: { 'Content-Type': foreign.mediaType },
      body: elsewhere,
    })
    assert.equal(put.status, 201)
    const part = await putIndex(name, 'part', [
      { ...foreign, digest: digestOf(elsewhere), size: Buffer.byteLength(elsewhere) },
    ])
    await using other = await TestRegistry.start()
    for (const tag of ['whole', 'part']) {
      await daemon.ok(['pull', '-q', `${repository}:${tag}`])
      await daemon.ok(['tag', `${repository}:${tag}`, `${other.name}/app:${tag}`])
    }
    for (const name of [`${repository}:whole`, `${other.name}/app:whole`]) {
      await daemon.ok(['push', '-q', name])
      assert.equal(await raw(name), whole)
    }
    const { stdout, stderr, code } = await daemon.berth(['push', `${repository}:part`])
    assert.equal(code, 0, stderr)
    assert.match(stdout, new RegExp(`part: digest: ${digestOf(plain)} size`))
    assert.match(stderr, new RegExp(`${digestOf(plain)}, not the index ${digestOf(part)}`))
    await daemon.ok(['push', '-q', '--platform', 'linux', `${other.name}/app:whole`])
    assert.equal(await raw(`${other.name}/app:whole`), plain)
  })
})

describe('a broken upload', () => {
  const cuts = [1_500_000, 1_000_000, 2_000_000]

  /** Pushes through a proxy that cuts connections; returns the number of bytes that were sent. */
  async function pushCut(target: string, client: (typeof clients)[number]): Promise<number> {
    await using cutter = await UploadCutter.start(target)
    await loadBig('cut:1')
    const name = `${cutter.name}/cut/${client}:1`
    await daemon.ok(['tag', 'cut:1', name])
    cutter.cutAfter = [...cuts]
    const { code, stdout, stderr } = await daemon[client](['push', name], { timeoutMs: 50_000 })
    assert.equal(code, 0, stderr)
    assert.equal(cutter.cuts, cuts.length)
    assert.match(stdout, /^[0-9a-f]{12}: Retrying in 1 second$/m)
    const digest = digestOf(await raw(`${target}/cut/${client}:1`))
    assert.match(stdout, new RegExp(`1: digest: ${digest} `))
    // A copy reads every byte, and skopeo verifies them.
    const copy = ['--insecure-policy', 'copy', '--quiet', '--src-tls-verify=false']
    await runOrThrow('skopeo', [...copy, `docker://${target}/cut/${client}:1`, `dir:${join(work, client)}`])
    return cutter.uploadedBytes
  }

  test('continues where it stopped', async () => {
    await using own = await BerthRegistry.start()
    for (const client of clients) {
      const sent = await pushCut(own.name, client)
      // Only the data in transit at the break is sent again.
      assert.ok(sent < uploadBytes * 1.7, `${sent} bytes were sent for ${uploadBytes}`)
    }
  })

  test('starts again at a registry that forgets broken uploads', async () => {
    await pushCut(registry.name, 'docker')
  })
})

test('impossible pushes are refused', async () => {
  const host = registry.name
  await daemon.ok(['tag', 'box:1', `${host}/known:1`])
  for (const client of clients) {
    const fails = async (name: string) => {
      const { code, stderr } = await daemon[client](['push', name])
      assert.equal(code, 1)
      return stderr.trim()
    }
    assert.equal(await fails(`${host}/none:1`), `An image does not exist locally with the tag: ${host}/none`)
    assert.equal(await fails(`${host}/known:2`), `tag does not exist: ${host}/known:2`)
    assert.equal(await fails(`${host}/known@sha256:${'0'.repeat(64)}`), 'cannot push a digest reference')
    assert.match(await fails(`${host}/Known`), /^invalid reference format/)
  }
  await daemon.ok(['tag', 'box:1', '127.0.0.1:1/x:1'])
  const { code, stderr } = await daemon.docker(['push', '127.0.0.1:1/x:1'])
  assert.equal(code, 1)
  assert.match(stderr, /127\.0\.0\.1:1.*connection refused/)
  const platform = await daemon.api(
    'POST',
    `/images/${host}/known/push?tag=1&platform={"os":"linux","architecture":"s390x"}`,
  )
  assert.equal(platform.status, 404)
})

test('a push to a busy registry is tried again; a refusal is final', async () => {
  const seen: string[] = []
  const server = createServer((request, response) => {
    seen.push(request.method ?? '')
    if (request.method === 'HEAD') response.writeHead(404).end()
    else if (request.method === 'POST' && seen.filter((method) => method === 'POST').length < 3) {
      response.writeHead(429, { 'Retry-After': '0' }).end()
    } else
      response
        .writeHead(403)
        .end('{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const address = server.address()
    const name = `127.0.0.1:${typeof address === 'object' ? address?.port : ''}/x:1`
    await daemon.ok(['tag', 'box:1', name])
    const { code, stderr } = await daemon.docker(['push', name])
    assert.deepEqual([code, stderr], [1, 'denied: requested access to the resource is denied\n'])
    assert.equal(seen.filter((method) => method === 'POST').length, 3)
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('a push is an event', async () => {
  const since = (Date.now() / 1000).toFixed(3)
  const name = `${registry.name}/event/app:1`
  await daemon.ok(['tag', 'box:1', name])
  await daemon.ok(['push', '-q', name])
  const until = (Date.now() / 1000).toFixed(3)
  const format = '{{.Type}} {{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}'
  const filters = ['--filter', 'event=push', '--since', since, '--until', until]
  assert.equal(
    await daemon.ok(['events', ...filters, '--format', format]),
    `image push ${name} ${name.replace(/:1$/, '')}`,
  )
})

test('progress: berth has its own bars, docker has those that it knows from dockerd', async () => {
  await loadBig('bars:1', 30 << 20)
  for (const [client, program] of [
    ['docker', undefined],
    ['berth', join(import.meta.dirname, '../../../bin/berth')],
  ] as const) {
    const name = `${registry.name}/bars/${client}${Date.now()}:1`
    await daemon.ok(['image', 'rm', '-f', name]).catch(() => '')
    await daemon.ok(['tag', 'bars:1', name])
    const terminal = daemon.terminal(
      ['push', name],
      { rows: 30, columns: 130 },
      ...(program === undefined ? [] : [program]),
    )
    const { code } = await terminal.ended
    assert.equal(code, 0, terminal.stdout)
    const bar = client === 'docker' ? /[0-9a-f]{12}: (Pushing|Mounted)/ : /[0-9a-f]{12} {2}(Pushing|Mounted)/
    assert.match(terminal.stdout, bar)
    assert.match(terminal.stdout, /1: digest: sha256:/)
  }
})
