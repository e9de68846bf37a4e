/** import from files, stdin and URLs, with changes; and how it differs from load. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'

let daemon: TestDaemon
let root: string
/** An image's archive, and the tar archive of its file system. */
let archive: string
let rootfs: string
let web: Server
let url: string

before(async () => {
  root = mkdtempSync('/tmp/b-imp-')
  daemon = await TestDaemon.start()
  archive = join(root, 'image.tar')
  await writeBusyboxArchive({
    path: archive,
    reference: 'box:1',
    config: { Cmd: ['sh', '-c', 'echo ran'], Labels: { a: 'b' } },
  })
  mkdirSync(join(root, 'image'))
  await runOrThrow('tar', ['-C', join(root, 'image'), '-xf', archive])
  rootfs = join(root, 'image/layer.tar')
  web = createServer((request, response) => {
    if (request.url === '/moved.tar') response.writeHead(302, { Location: '/rootfs.tar' }).end()
    else if (request.url === '/rootfs.tar') response.end(readFileSync(rootfs))
    else if (request.url === '/cut.tar') {
      response.writeHead(200, { 'Content-Length': 1_000_000 })
      response.write(readFileSync(rootfs).subarray(0, 100_000), () => response.destroy())
    } else response.writeHead(404).end('it is not here')
  })
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
  const address = web.address()
  url = typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : ''
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  web?.closeAllConnections()
  await new Promise((resolve) => web?.close(resolve))
  rmSync(root, { recursive: true, force: true })
})

const historyOf = (name: string) =>
  daemon.ok(['history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', name])

test('load restores the whole image; import makes one layer of its files without history', async () => {
  await daemon.ok(['load', '-q', '-i', archive])
  assert.equal(await historyOf('box:1'), 'busybox-static|')
  assert.equal(await daemon.ok(['run', '--rm', 'box:1']), 'ran')
  const id = await daemon.ok(['import', rootfs, 'imported:1'])
  assert.match(id, /^sha256:[0-9a-f]{64}$/)
  assert.equal(await historyOf('imported:1'), '|Imported from -')
  const [image] = JSON.parse(await daemon.ok(['inspect', 'imported:1'])) as {
    Config: Record<string, unknown>
    RootFS: { Layers: string[] }
  }[]
  assert.deepEqual([image?.Config.Cmd ?? null, image?.Config.Labels ?? null], [null, null])
  assert.equal(image?.RootFS.Layers.length, 1)
  assert.match((await daemon.docker(['run', '--rm', 'imported:1'])).stderr, /no command specified/)
  assert.equal(await daemon.ok(['run', '--rm', 'imported:1', 'echo', 'given']), 'given')
})

test('import takes files, stdin and URLs, with every compression', async () => {
  const layers = (name: string) => daemon.ok(['inspect', '-f', '{{json .RootFS.Layers}}', name])
  const expected = await layers('box:1')
  for (const [program, suffix] of [
    ['gzip', 'gz'],
    ['zstd', 'zst'],
    ['xz', 'xz'],
    ['bzip2', 'bz2'],
  ] as const) {
    await runOrThrow(program, ['-kfq', '-1', rootfs])
    await daemon.ok(['import', `${rootfs}.${suffix}`, `packed:${suffix}`])
    assert.equal(await layers(`packed:${suffix}`), expected)
    // Any other engine can load what it stores.
    const saved = await daemon.ok(['save', '-o', join(root, 'packed.tar'), `packed:${suffix}`])
    assert.equal(saved, '')
    await runOrThrow('skopeo', ['inspect', `oci-archive:${join(root, 'packed.tar')}`])
  }
  const input = readFileSync(rootfs)
  for (const client of ['docker', 'berth'] as const) {
    const name = `${client}:stdin`
    assert.equal((await daemon[client](['import', '-', name], { input })).code, 0)
    assert.equal(await layers(name), expected)
    for (const path of ['rootfs.tar', 'moved.tar']) {
      const { code, stdout } = await daemon[client](['import', `${url}/${path}`, `${client}:url`])
      assert.equal(code, 0)
      assert.match(stdout, new RegExp(`^Downloading from ${url}/${path}\n`))
      assert.equal(await layers(`${client}:url`), expected)
      assert.equal(await historyOf(`${client}:url`), `|Imported from ${url}/${path}`)
    }
  }
})

test('import applies changes, message and platform', async () => {
  const changes = [
    'CMD ["echo", "changed"]',
    'ENV A=1 B="$A two"',
    'LABEL k=v',
    'USER 1000',
    'WORKDIR /srv',
    'EXPOSE 80',
  ]
  for (const client of ['docker', 'berth'] as const) {
    const name = `changed:${client}`
    const flags = changes.flatMap((change) => ['--change', change])
    assert.equal((await daemon[client](['import', ...flags, '-m', 'a message', rootfs, name])).code, 0)
    const format =
      '{{json .Config.Cmd}} {{json .Config.Env}} {{.Config.User}} {{.Config.WorkingDir}} {{json .Config.ExposedPorts}} {{.Comment}}'
    assert.equal(
      await daemon.ok(['inspect', '-f', format, name]),
      '["echo","changed"] ["A=1","B= two"] 1000 /srv {"80/tcp":{}} a message',
    )
    assert.equal(await daemon.ok(['run', '--rm', name]), 'changed')
    await daemon.ok(['import', '--platform', 'linux/arm64/v8', rootfs, 'arm:1'])
    assert.equal(await daemon.ok(['inspect', '-f', '{{.Os}}/{{.Architecture}}', 'arm:1']), 'linux/arm64')
  }
})

test('import refuses what docker refuses, and keeps nothing', async () => {
  const blobs = () => readdirSync(join(daemon.dataRoot, 'content/blobs/sha256')).sort()
  const before = blobs()
  writeFileSync(join(root, 'junk'), 'text '.repeat(1000))
  for (const [args, message] of [
    [['--change', 'RUN x', rootfs], /RUN is not a valid change command/],
    [['--change', 'ENV', rootfs], /ENV requires at least one argument/],
    [['--change', '# nothing', rootfs], /file with no instructions/],
    [['--platform', 'windows/amd64', rootfs], /operating system is not supported/],
    [[rootfs, 'UP:1'], /must be lowercase/],
    [[rootfs, 'sha256:1'], /refusing to create an ambiguous tag using digest algorithm as name/],
    [[join(root, 'junk')], /invalid tar archive/],
    [[join(root, 'none')], /no such file or directory/],
    [[`${url}/none.tar`], /failed to GET http:.*\/none.tar with status 404 Not Found: it is not here/],
    [['http://127.0.0.1:1/x.tar'], /connection refused/],
    [[`${url}/cut.tar`], /\S/],
  ] as const) {
    for (const client of ['docker', 'berth'] as const) {
      const { code, stderr } = await daemon[client](['import', ...args])
      assert.equal(code, 1, `${client} ${args.join(' ')}`)
      assert.match(stderr, message)
    }
  }
  const scheme = await daemon.api('POST', '/images/create?fromSrc=file:///etc/passwd')
  assert.deepEqual(
    [scheme.status, scheme.text.trim()],
    [400, '{"message":"Get \\"file:///etc/passwd\\": unsupported protocol scheme \\"file\\""}'],
  )
  assert.deepEqual(blobs(), before)
})
