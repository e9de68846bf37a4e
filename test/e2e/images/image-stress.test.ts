/** Many concurrent operations on one daemon's images, and a crash of the daemon during them: nothing fails without a
 *  reason, and everything that is stored verifies. BERTH_STRESS_SECONDS and BERTH_STRESS_SEED set duration and seed. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { runImageWorkers, type WorkerOptions } from '../../helpers/images/image-workers.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { until } from '../../helpers/wait.ts'

const seconds = Number(process.env.BERTH_STRESS_SECONDS ?? 60)
const seed = Number(process.env.BERTH_STRESS_SEED ?? Date.now() % 1_000_000)
let directory: string
let registry: TestRegistry
let material: Pick<WorkerOptions, 'remote' | 'archives' | 'rootfs' | 'registry'>

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  registry = await TestRegistry.start()
  material = await makeMaterial()
})
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** Images that share layers with each other, in a registry and in archives. */
async function makeMaterial(): Promise<typeof material> {
  await using daemon = await TestDaemon.start()
  await daemon.loadBusybox('base:1')
  const remote: string[] = []
  const archives: Buffer[] = []
  for (const [at, parent] of ['base:1', 'made-0:1', 'made-1:1', 'base:1'].entries()) {
    const noise = join(directory, `noise-${at}`)
    writeFileSync(noise, randomBytes(400_000))
    await daemon.ok(['run', '--name', `c${at}`, '-v', `${noise}:/in`, parent, 'sh', '-c', `cp /in /noise-${at}`])
    await daemon.ok(['commit', `c${at}`, `made-${at}:1`])
    const archive = join(directory, `made-${at}.tar`)
    await daemon.ok(['save', '-o', archive, `made-${at}:1`])
    remote.push(await registry.push(archive, `made-${at}:1`))
    if (at % 2 === 1) archives.push(readFileSync(archive))
  }
  const plain = join(directory, 'plain.tar')
  await writeBusyboxArchive({ path: plain, reference: 'work-a:1' })
  const tree = join(directory, 'rootfs')
  await runOrThrow('mkdir', ['-p', join(tree, 'bin')])
  await runOrThrow('cp', ['/bin/busybox', join(tree, 'bin/busybox')])
  await runOrThrow('ln', ['-s', 'busybox', join(tree, 'bin/sh')])
  await runOrThrow('ln', ['-s', 'busybox', join(tree, 'bin/dd')])
  await runOrThrow('tar', ['-C', tree, '-cf', join(directory, 'rootfs.tar'), '.'])
  return {
    remote,
    archives: [...archives, readFileSync(plain)],
    rootfs: readFileSync(join(directory, 'rootfs.tar')),
    registry: registry.name,
  }
}

interface Check {
  readonly Problems: readonly unknown[]
  readonly Unused: { readonly Blobs: unknown[]; readonly Layers: unknown[]; readonly Unfinished: unknown[] }
}

/** Checks the store, prunes everything, and checks that nothing is left. */
async function assertSound(daemon: TestDaemon): Promise<void> {
  const first = await daemon.api<Check>('POST', '/berth/check')
  assert.deepEqual(first.body.Problems, [])
  const ids = (await daemon.ok(['ps', '-aq'])).split('\n').filter((id) => id !== '')
  if (ids.length > 0) await daemon.ok(['rm', '-fv', ...ids])
  // Layers of containers are removed after the answer to the containers' removal.
  await until(async () => (await readLayers(daemon)).every((key) => !key.startsWith('container-')), {
    what: 'containers to be gone',
  })
  await daemon.ok(['image', 'prune', '-f'])
  const { code, stdout } = await daemon.berth(['system', 'check', '--strict'])
  assert.equal(code, 0, stdout)
  await daemon.ok(['image', 'prune', '-af'])
  const stored = () => ['content/blobs/sha256', 'content/ingests'].flatMap((path) => list(daemon, path))
  await until(() => stored().length === 0, { what: () => `an empty store: ${stored()}` })
  await assertExplained(daemon)
}

async function readLayers(daemon: TestDaemon): Promise<string[]> {
  const { text } = await daemon.api('GET', '/containers/json?all=1')
  return (JSON.parse(text) as { Id: string }[]).map(({ Id }) => `container-${Id}`)
}

function list(daemon: TestDaemon, path: string): string[] {
  return readdirSync(join(daemon.dataRoot, path))
}

async function work(
  t: TestContext,
  daemon: TestDaemon,
  durationMs: number,
  { isDown, onOperation }: { readonly isDown?: () => boolean; readonly onOperation?: () => void } = {},
): Promise<void> {
  t.diagnostic(`seed ${seed}`)
  const options = { ...material, daemon, seed, workers: 8, durationMs, ...(onOperation && { onOperation }) }
  const { done, faults } = await runImageWorkers(options, isDown)
  t.diagnostic(JSON.stringify(done))
  assert.deepEqual(faults, [], `seed ${seed}\n${daemon.log.split('\n').slice(-40).join('\n')}`)
}

test('eight workers with random operations leave a sound store', async (t) => {
  await using daemon = await TestDaemon.start()
  await work(t, daemon, seconds * 1000)
  await assertSound(daemon)
})

test('after a crash during them the store is sound', async (t) => {
  await using daemon = await TestDaemon.start()
  let isDown = false
  let operations = 0
  const kill = async () => {
    // During much work, even on a busy machine.
    for (let waited = 0; waited < 6000 && operations < 50; waited += 50) await sleep(50)
    isDown = true
    await daemon.kill9()
    await daemon.start()
    isDown = false
  }
  const onOperation = () => void (operations += 1)
  await Promise.all([work(t, daemon, 12_000, { isDown: () => isDown, onOperation }), kill()])
  await assertSound(daemon)
})
