/** cp: files out of containers and into them, running and stopped, with the docker CLI, berth and plain HTTP. */
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon
let directory: string

before(async () => {
  directory = mkdtempSync('/tmp/b-cp-')
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** A running container with files of every kind; its volume has a file too. */
async function startContainer(name: string, ...options: string[]): Promise<void> {
  await daemon.ok(['run', '-d', '--name', name, '-v', `vol-${name}:/vol`, ...options, 'busybox', 'sleep', '1000'])
  await shell(
    name,
    'mkdir -p /d/sub; echo one >/d/one; echo two >/d/sub/two; ln /d/one /d/hard; ln -s sub /d/link; ln -s /d/one /abs; echo v >/vol/f',
  )
}

async function shell(name: string, script: string): Promise<string> {
  return await daemon.ok(['exec', name, 'sh', '-c', script])
}

async function fails(args: readonly string[]): Promise<string> {
  const { code, stderr } = await daemon.docker(args)
  assert.notEqual(code, 0, args.join(' '))
  return stderr.trim()
}

describe('out of a container', () => {
  for (const state of ['running', 'stopped']) {
    test(`copies files, trees, links and volumes from a container that is ${state}`, async () => {
      const name = `out-${state}`
      await startContainer(name)
      if (state === 'stopped') await daemon.ok(['kill', name])
      const to = join(directory, name)
      mkdirSync(to)
      await daemon.ok(['cp', `${name}:/d`, to])
      assert.deepEqual(readdirSync(join(to, 'd')).sort(), ['hard', 'link', 'one', 'sub'])
      assert.equal(statSync(join(to, 'd/one')).ino, statSync(join(to, 'd/hard')).ino)
      assert.equal(readlinkSync(join(to, 'd/link')), 'sub')
      await daemon.ok(['cp', `${name}:/d/.`, join(to, 'contents')])
      assert.equal(readFileSync(join(to, 'contents/sub/two'), 'utf8'), 'two\n')
      await daemon.ok(['cp', `${name}:/vol/f`, join(to, 'renamed')])
      assert.equal(readFileSync(join(to, 'renamed'), 'utf8'), 'v\n')
      await daemon.ok(['cp', `${name}:/abs`, to])
      assert.equal(readlinkSync(join(to, 'abs')), '/d/one')
      await daemon.ok(['cp', '-L', `${name}:/abs`, join(to, 'followed')])
      assert.equal(readFileSync(join(to, 'followed'), 'utf8'), 'one\n')
      const hosts = await runOrThrow('sh', ['-c', `docker -H ${daemon.host} cp ${name}:/etc/hosts - | tar -xOf -`])
      assert.match(hosts, /localhost/)
      assert.equal(
        await fails(['cp', `${name}:/nothing`, to]),
        `Error response from daemon: Could not find the file /nothing in container ${name}`,
      )
      await daemon.ok(['rm', '-fv', name])
    })
  }

  test('that never ran, from its volume', async () => {
    await daemon.ok(['volume', 'create', 'early'])
    await daemon.ok(['run', '--rm', '-v', 'early:/v', 'busybox', 'sh', '-c', 'echo early >/v/f'])
    await daemon.ok(['create', '--name', 'never', '-v', 'early:/made/for/it', 'busybox'])
    await daemon.ok(['cp', 'never:/made/for/it/f', join(directory, 'early')])
    assert.equal(readFileSync(join(directory, 'early'), 'utf8'), 'early\n')
    await daemon.ok(['rm', 'never'])
  })

  test('copies from a tmpfs, large and sparse files, long and unusual names, attributes', async () => {
    await startContainer('odd', '--tmpfs', '/scratch')
    const long = 'n'.repeat(200)
    await shell(
      'odd',
      `echo t >/scratch/t; mkdir /o; truncate -s 5M /o/sparse; echo x >/o/${long}; touch '/o/sp ace' /o/ünï; mkfifo /o/fifo; mknod /o/null c 1 3; chmod 4755 /o/ünï; chown 7:8 '/o/sp ace'`,
    )
    await daemon.ok(['cp', 'odd:/scratch/t', join(directory, 't')])
    const to = join(directory, 'odd')
    await daemon.ok(['cp', 'odd:/o', to])
    assert.deepEqual(readdirSync(to).sort(), [long, 'fifo', 'null', 'sp ace', 'sparse', 'ünï'].sort())
    assert.equal(statSync(join(to, 'sparse')).size, 5 << 20)
    assert.equal(statSync(join(to, 'ünï')).mode & 0o7777, 0o4755)
    assert.ok(lstatSync(join(to, 'null')).isCharacterDevice())
    const listing = await runOrThrow('sh', ['-c', `docker -H ${daemon.host} cp odd:/o - | tar -tvf - --numeric-owner`])
    assert.match(listing, /7\/8 .* o\/sp ace/)
    await daemon.ok(['rm', '-f', 'odd'])
  })
})

describe('into a container', () => {
  for (const state of ['running', 'stopped']) {
    test(`copies trees, volumes, streams and owners into a container that is ${state}`, async () => {
      const name = `in-${state}`
      await startContainer(name, '-u', '1000:1000', '--user', '0')
      if (state === 'stopped') await daemon.ok(['kill', name])
      const from = join(directory, name)
      mkdirSync(join(from, 'sub'), { recursive: true })
      writeFileSync(join(from, 'sub/file'), 'from outside\n')
      chmodSync(join(from, 'sub/file'), 0o640)
      linkSync(join(from, 'sub/file'), join(from, 'same'))
      symlinkSync('sub/file', join(from, 'link'))
      await daemon.ok(['cp', from, `${name}:/new`])
      await daemon.ok(['cp', `${from}/.`, `${name}:/vol`])
      await daemon.ok(['cp', join(from, 'sub/file'), `${name}:/d/link/renamed`])
      await runOrThrow('sh', ['-c', `tar -C ${from} -czf - sub | docker -H ${daemon.host} cp - ${name}:/d`])
      if (state === 'stopped') await daemon.ok(['start', name])
      assert.equal(
        await shell(name, 'cat /new/link /vol/sub/file /d/sub/renamed /d/sub/file; stat -c %a:%h /new/sub/file'),
        `${'from outside\n'.repeat(4)}640:2`,
      )
      await daemon.ok(['rm', '-fv', name])
    })
  }

  test('wrong requests are refused', async () => {
    writeFileSync(join(directory, 'plain'), 'x')
    await startContainer('no')
    assert.match(await fails(['cp', join(directory, 'plain'), 'no:/d/one/x']), /not a directory|Could not find/)
    assert.match(
      await fails(['cp', join(directory, 'plain'), 'no:/missing/x']),
      /Could not find the file \/missing in container no/,
    )
    mkdirSync(join(directory, 'one'))
    assert.match(
      await fails(['cp', join(directory, 'one'), 'no:/d']),
      /cannot overwrite non-directory "\/d\/one" with directory "\/d"/,
    )
    assert.match(await fails(['cp', directory, 'no:/d/one']), /cannot copy directory$/)
    await daemon.ok(['rm', '-fv', 'no'])
    await startContainer('ro', '--read-only=false', '-v', '/tmp:/host:ro')
    assert.equal(
      await fails(['cp', join(directory, 'plain'), 'ro:/host/x']),
      'Error response from daemon: mounted volume is marked read-only',
    )
    await daemon.ok(['rm', '-fv', 'ro'])
    await daemon.ok(['run', '-d', '--name', 'roro', '--read-only', '-v', 'open:/open', 'busybox', 'sleep', '1000'])
    assert.equal(
      await fails(['cp', join(directory, 'plain'), 'roro:/x']),
      'Error response from daemon: container rootfs is marked read-only',
    )
    await daemon.ok(['cp', join(directory, 'plain'), 'roro:/open/x'])
    assert.equal(await shell('roro', 'cat /open/x'), 'x')
    await daemon.ok(['rm', '-fv', 'roro'])
  })

  test('works over the API: stat, compression, ownership by the configured user, events', async () => {
    await daemon.ok(['run', '-d', '--name', 'api', '-u', '1000:2000', 'busybox', 'sleep', '1000'])
    const since = String(Math.floor(Date.now() / 1000) - 1)
    const path = join(directory, 'api.tar')
    writeFileSync(join(directory, 'owned'), 'o')
    await runOrThrow('tar', ['-C', directory, '-cf', path, 'owned'])
    const tar = readFileSync(path)
    const put = (query: string, body: Buffer) => daemon.api('PUT', `/containers/api/archive?path=/tmp&${query}`, body)
    for (const body of [tar, gzipSync(tar), zstdCompressSync(tar)]) assert.equal((await put('', body)).status, 200)
    assert.equal(await shell('api', 'stat -c %u:%g /tmp/owned'), '0:0')
    assert.equal((await put('copyUIDGID=1', tar)).status, 200)
    assert.equal(await shell('api', 'stat -c %u:%g /tmp/owned'), '1000:2000')
    const { status, headers } = await daemon.api('HEAD', '/containers/api/archive?path=/bin/sh')
    assert.equal(status, 200)
    const stat = JSON.parse(Buffer.from(String(headers['x-docker-container-path-stat']), 'base64').toString())
    assert.equal(stat.name, 'sh')
    assert.equal(stat.linkTarget, '/bin/busybox')
    assert.equal(stat.mode, 2 ** 27 + 0o777)
    assert.equal((await daemon.api('GET', '/containers/api/archive')).status, 400)
    assert.equal((await daemon.api('HEAD', '/containers/api/archive?path=/none')).status, 404)
    await daemon.ok(['cp', 'api:/tmp/owned', join(directory, 'owned2')])
    const events = await daemon.ok([
      ...['events', '--since', since, '--until', String(Math.floor(Date.now() / 1000) + 1)],
      ...['--filter', 'container=api', '--format', '{{.Action}}'],
    ])
    assert.ok(events.includes('extract-to-dir') && events.includes('archive-path'), events)
    await daemon.ok(['rm', '-f', 'api'])
  })
})

test('a container that keeps swapping directories for symlinks gains nothing', async () => {
  const secret = join(directory, 'secret')
  mkdirSync(secret)
  writeFileSync(join(secret, 'f'), 'secret of the host')
  chmodSync(join(secret, 'f'), 0o600)
  // The same path exists in the container, so that a link to it resolves on both sides.
  const script = `mkdir -p ${secret} /t/d /t/e; echo inside >${secret}/f; echo inside >/t/d/f; cd /t
while :; do mv d x; ln -s ${secret} d; ln -s ${secret}/f x/g; rm -f d x/g; mv x d; rm -rf d/in; ln -s ${secret} d/in; done`
  await daemon.ok(['run', '-d', '--name', 'racer', 'busybox', 'sh', '-c', script])
  const source = join(directory, 'racing')
  mkdirSync(join(source, 'in/deep'), { recursive: true })
  for (const name of ['f', 'g', 'in/f', 'in/deep/f']) writeFileSync(join(source, name), 'written')
  const before = lstatSync(join(secret, 'f'))
  for (let round = 0; round < 25; round++) {
    const [out] = await Promise.all([
      daemon.api('GET', '/containers/racer/archive?path=/t'),
      daemon.api('GET', '/containers/racer/archive?path=/t/d/f'),
      daemon.docker(['cp', `${source}/.`, 'racer:/t/d']),
    ])
    assert.ok(!out.text.includes('secret of the host'))
  }
  assert.deepEqual(readdirSync(secret), ['f'])
  assert.equal(readFileSync(join(secret, 'f'), 'utf8'), 'secret of the host')
  const now = lstatSync(join(secret, 'f'))
  assert.deepEqual([now.mode, now.uid, now.ino, now.mtimeMs], [before.mode, before.uid, before.ino, before.mtimeMs])
  assert.ok(!existsSync(join(secret, 'in')))
  await daemon.ok(['rm', '-f', 'racer'])
})
