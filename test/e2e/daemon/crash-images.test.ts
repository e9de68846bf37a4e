/** `kill -9` of the daemon in the middle of a pull and of a load: the pull continues where it stopped, the load
 *  starts again, and the disk has nothing that belongs to no image. BERTH_CRASH_ROUNDS repeats each scenario. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { writeBusyboxArchive } from '../../helpers/images/test-image.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'
import { SlowProxy } from '../../helpers/registries/slow-proxy.ts'
import { until } from '../../helpers/wait.ts'

const rounds = Array.from({ length: Number(process.env.BERTH_CRASH_ROUNDS ?? 1) }, (_, i) => i + 1)
const layerBytes = 6 * 1024 * 1024
let directory: string
let daemon: TestDaemon
let registry: TestRegistry
let proxy: SlowProxy
let archive: string
let repository: string

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  daemon = await TestDaemon.start()
  registry = await TestRegistry.start()
  proxy = await SlowProxy.start(registry.name)
  archive = join(directory, 'large.tar')
  await writeBusyboxArchive({
    path: archive,
    reference: 'large:1',
    config: { Cmd: ['sh', '-c', 'wc -c </random'] },
    prepare: (rootfs) => writeFileSync(join(rootfs, 'random'), randomBytes(layerBytes)),
  })
  await registry.push(archive, 'large:1')
  repository = `${proxy.name}/large:1`
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

/** The files of images on the disk. */
function stored(): { blobs: number; layers: number } {
  const names = (path: string) => readdirSync(join(daemon.dataRoot, path))
  const layers = names('snapshots').filter((name) => /^\d+$/.test(name)).length
  return { blobs: names('content/blobs/sha256').length, layers }
}

/** Layers are removed after the answer to the removal of the containers and images that used them. */
async function assertNothingStored(): Promise<void> {
  const isEmpty = () => stored().blobs + stored().layers === 0
  await until(isEmpty, { what: () => `an empty disk: ${JSON.stringify(stored())}\n${daemon.log}` })
  await assertExplained(daemon)
}

for (const round of rounds) {
  test(`round ${round}: a pull continues where it stopped`, async () => {
    proxy.pauseMs = 100
    proxy.bytesServed = 0
    const pull = daemon.docker(['pull', repository])
    await until(() => proxy.bytesServed > layerBytes / 2, { what: 'half of the layer', timeoutMs: 30_000 })
    await daemon.kill9()
    assert.notEqual((await pull).code, 0)
    const served = proxy.bytesServed
    proxy.pauseMs = 0
    proxy.ranges.length = 0
    await daemon.start()
    assert.equal((await daemon.docker(['inspect', repository])).code, 1)
    assert.equal(stored().layers, 0)
    await daemon.ok(['pull', repository])
    const resumedAt = Number(/^bytes=(\d+)-/.exec(proxy.ranges.find((range) => range !== '') ?? '')?.[1] ?? 0)
    assert.ok(resumedAt > layerBytes / 4, `ranges: ${proxy.ranges.join(' ')}`)
    assert.ok(proxy.bytesServed - served < layerBytes, 'only the rest was fetched')
    assert.equal(await daemon.ok(['run', '--rm', repository]), String(layerBytes))
    await daemon.ok(['rmi', repository])
    await assertNothingStored()
  })

  test(`round ${round}: a pull survives several crashes at any moment`, async () => {
    proxy.pauseMs = 15
    for (let times = 0; times < 3; times += 1) {
      const pull = daemon.docker(['pull', repository])
      await sleep(Math.random() * 800)
      // A clean stop does not wait for the pull.
      await daemon.stop(times === 1 ? 'SIGTERM' : 'SIGKILL')
      await pull
      await daemon.start()
    }
    proxy.pauseMs = 0
    await daemon.ok(['pull', repository])
    assert.equal(await daemon.ok(['run', '--rm', repository]), String(layerBytes))
    await daemon.ok(['rmi', repository])
    await assertNothingStored()
  })

  test(`round ${round}: a load starts again`, async () => {
    for (let times = 0; times < 3; times += 1) {
      const load = daemon.spawnDocker(['load', '-i', archive])
      await sleep(20 + Math.random() * 200)
      await daemon.stop(times === 1 ? 'SIGTERM' : 'SIGKILL')
      await load.ended
      await daemon.start()
      await assertExplained(daemon)
    }
    await daemon.ok(['load', '-q', '-i', archive])
    assert.equal(await daemon.ok(['run', '--rm', 'large:1']), String(layerBytes))
    await daemon.ok(['rmi', 'large:1'])
    await assertNothingStored()
  })
}
