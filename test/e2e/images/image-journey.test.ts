/** An image passes through every program that handles images: its id, history and manifest digest stay the same. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { StockDocker } from '../../helpers/daemons/stock-docker.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { BerthRegistry } from '../../helpers/registries/berth-registry.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

const work = mkdtempSync('/tmp/b-jour-')
after(() => rmSync(work, { recursive: true, force: true }))

const dockerfile = `FROM busybox:latest
ENV GREETING=hello
COPY one.txt /data/one.txt
COPY two.txt /data/
LABEL stage=last
CMD ["cat", "/data/one.txt", "/data/two.txt"]
`

interface Inspected {
  readonly Id: string
  readonly RepoDigests: readonly string[]
  readonly RootFS: { readonly Layers: readonly string[] }
  readonly Config: { readonly Env: readonly string[]; readonly Labels: Readonly<Record<string, string>> }
}

interface HistoryItem {
  readonly CreatedBy: string
  readonly Size: number
}

async function digestAt(reference: string): Promise<string> {
  const args = ['inspect', '--tls-verify=false', '--format', '{{.Digest}}', `docker://${reference}`]
  return (await runOrThrow('skopeo', args)).trim()
}

/** Builds an image of four layers with stock docker; returns its id and writes its archive to `path`. */
async function buildElsewhere(path: string): Promise<string> {
  const base = join(work, 'base.tar')
  await writeBusyboxArchive({ path: base })
  const context = join(work, 'context')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), dockerfile)
  writeFileSync(join(context, 'one.txt'), 'one\n')
  writeFileSync(join(context, 'two.txt'), 'two\n')
  await using docker = await StockDocker.start()
  await docker.ok(['load', '-q', '-i', base])
  await docker.ok(['build', '-q', '-t', 'journey:1', context])
  await docker.ok(['save', '-o', path, 'journey:1'])
  return await docker.ok(['image', 'inspect', '-f', '{{.Id}}', 'journey:1'])
}

test('an image goes from docker save through two registries back to Berth and stays the same', async () => {
  const archive = join(work, 'journey.tar')
  const id = await buildElsewhere(archive)
  await using daemon = await TestDaemon.start()
  await using own = await BerthRegistry.start()
  await using foreign = await TestRegistry.start()
  const inspect = async (name: string): Promise<Inspected> =>
    (await daemon.api<Inspected>('GET', `/images/${encodeURIComponent(name)}/json`)).body
  const history = async (name: string) =>
    (await daemon.api<HistoryItem[]>('GET', `/images/${encodeURIComponent(name)}/history`)).body

  await daemon.ok(['load', '-q', '-i', archive])
  const loaded = await inspect('journey:1')
  const steps = await history('journey:1')
  assert.equal(loaded.Id, id)
  assert.equal(loaded.RootFS.Layers.length, 3)

  const ours = `${own.name}/team/journey:1`
  await daemon.ok(['tag', 'journey:1', ours])
  const { code, stderr } = await daemon.berth(['push', '--quiet', ours])
  assert.equal(code, 0, stderr)
  const digest = await digestAt(ours)
  assert.deepEqual((await inspect(ours)).RepoDigests, [`${own.name}/team/journey@${digest}`])

  const theirs = `${foreign.name}/copies/journey:1`
  const noTls = ['--src-tls-verify=false', '--dest-tls-verify=false']
  const copy = ['--insecure-policy', 'copy', '--quiet', '--preserve-digests', ...noTls]
  await runOrThrow('skopeo', [...copy, `docker://${ours}`, `docker://${theirs}`])
  assert.equal(await digestAt(theirs), digest)

  await daemon.ok(['rmi', '-f', id])
  const pulled = await daemon.berth(['pull', theirs])
  assert.equal(pulled.code, 0, pulled.stderr)
  const arrived = await inspect(theirs)
  assert.equal(arrived.Id, id)
  assert.deepEqual(arrived.RepoDigests, [`${foreign.name}/copies/journey@${digest}`])
  assert.deepEqual(arrived.RootFS, loaded.RootFS)
  assert.deepEqual(arrived.Config, loaded.Config)
  assert.deepEqual(
    (await history(theirs)).map(({ CreatedBy, Size }) => ({ CreatedBy, Size })),
    steps.map(({ CreatedBy, Size }) => ({ CreatedBy, Size })),
  )
  assert.equal(await daemon.ok(['run', '--rm', theirs]), 'one\ntwo')

  // And back to its origin.
  const back = `${own.name}/back/journey:1`
  await daemon.ok(['tag', theirs, back])
  await daemon.ok(['push', '--quiet', back])
  assert.equal(await digestAt(back), digest)
})

test("skopeo and podman copy images out of the engine and into it, through the engine's API", async () => {
  // Their library asks for API 1.22, which newer Dockers refuse by default as well.
  await using daemon = await TestDaemon.start({ env: { DOCKER_MIN_API_VERSION: '1.22' } })
  await daemon.loadBusybox('box:1')
  const id = await daemon.ok(['image', 'inspect', '-f', '{{.Id}}', 'box:1'])
  const layout = join(work, 'layout')
  const copy = ['--insecure-policy', 'copy', '--quiet']
  await runOrThrow('skopeo', [...copy, '--src-daemon-host', daemon.host, 'docker-daemon:box:1', `oci:${layout}:1`])
  await runOrThrow('skopeo', [...copy, '--dest-daemon-host', daemon.host, `oci:${layout}:1`, 'docker-daemon:back:2'])
  assert.equal(await daemon.ok(['run', '--rm', 'back:2', 'echo', 'here']), 'here')
  // podman only knows the daemon at its default address, so it runs in its own mount namespace here.
  writeFileSync(join(work, 'auth.json'), '{}')
  const podman = [
    ...['podman', '--root', join(work, 'podman'), '--runroot', join(work, 'podman-run'), '--storage-driver=vfs'],
  ].join(' ')
  const script = `mount -t tmpfs tmpfs /run && ln -s "$1" /run/docker.sock &&
    ${podman} pull --quiet docker-daemon:box:1 && ${podman} image inspect --format '{{.Id}}' box:1`
  const unshare = ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', daemon.socket]
  const said = await runOrThrow('unshare', unshare, { env: { REGISTRY_AUTH_FILE: join(work, 'auth.json') } })
  const podmanId = said.split('\n').at(-1) ?? ''
  assert.equal(`sha256:${podmanId}`, id)
})
