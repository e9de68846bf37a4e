/** A pull that is interrupted at 50 random bytes, 5 times by a crash of the daemon, gives the right image. No byte
 *  is fetched twice, except within one chunk. BERTH_TEST_SEED repeats a run. */
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { runOrThrow } from '../../helpers/command.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { dockerArchive, makeImage } from '../../helpers/images/archives.ts'
import { Random } from '../../helpers/random.ts'
import { CuttingProxy, type PassedRange } from '../../helpers/registries/cutting-proxy.ts'
import { TestRegistry } from '../../helpers/registries/registry.ts'

const layers = 4
const layerBytes = 5 * 1024 * 1024
const cuts = 50
const kills = 5
/** A cut loses the data in transit: a piece in the kernel, and what the daemon has read but not yet written. */
const chunkBytes = 128 * 1024

let directory: string
let daemon: TestDaemon
let registry: TestRegistry
let proxy: CuttingProxy

before(async () => {
  directory = mkdtempSync('/tmp/b-')
  registry = await TestRegistry.start()
  proxy = await CuttingProxy.start(registry.name)
  daemon = await TestDaemon.start()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
  await proxy?.[Symbol.asyncDispose]()
  await registry?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true, force: true })
})

test(`a pull survives ${cuts} broken connections and ${kills} crashes of the daemon`, async (t) => {
  const random = new Random(Number(process.env.BERTH_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32)))
  t.diagnostic(`BERTH_TEST_SEED=${random.seed}`)
  const files = Array.from({ length: layers }, (_, at) => ({ [`file-${at}`]: randomBytes(layerBytes) }))
  const image = await makeImage(files)
  const archive = join(directory, 'image.tar')
  writeFileSync(archive, await dockerArchive(image, ['cut:1']))
  await registry.push(archive, 'cut:1')

  const fatal = new Set<number>()
  while (fatal.size < kills) fatal.add(random.below(cuts))
  let done = 0
  let death: Promise<void> | undefined
  proxy.nextCut = () => ({
    afterBytes: 1 + random.below((layers * layerBytes) / cuts),
    cut(client) {
      if (done >= cuts) return
      if (fatal.has(done)) death = daemon.kill9()
      else if (random.next() < 0.5) client.destroy()
      else client.resetAndDestroy()
      done += 1
      if (done === cuts) proxy.nextCut = () => undefined
    },
  })
  const reference = `${proxy.name}/cut:1`
  let deaths = 0
  for (;;) {
    const { code, stderr } = await daemon.docker(['pull', '-q', reference], { timeoutMs: 150_000 })
    if (code === 0) break
    assert.ok(death !== undefined, `only the death of the daemon ends a pull: ${stderr}`)
    await death
    death = undefined
    deaths += 1
    await daemon.start()
  }
  assert.deepEqual({ done, deaths }, { done: cuts, deaths: kills })
  assert.equal(await daemon.ok(['inspect', '-f', '{{.Id}}', reference]), image.id)
  await assertFiles(reference, files)
  t.diagnostic(`at most ${assertFetchedOnce(proxy.passed)} bytes twice in one place`)
})

/** Checks that a container of the image has the image's files. */
async function assertFiles(reference: string, files: readonly Record<string, Buffer>[]): Promise<void> {
  const container = await daemon.ok(['create', reference])
  const tar = join(directory, 'exported.tar')
  await daemon.ok(['export', '-o', tar, container])
  await daemon.ok(['rm', container])
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
  for (const [name, bytes] of files.flatMap((tree) => Object.entries(tree))) {
    await runOrThrow('tar', ['-C', directory, '-xf', tar, name])
    assert.equal(digest(readFileSync(join(directory, name))), digest(bytes))
  }
}

/** Checks that each answer continues where the previous one ended, except for one chunk; returns the largest overlap. */
function assertFetchedOnce(passed: readonly PassedRange[]): number {
  let most = 0
  const byBlob = Map.groupBy(passed, ({ digest }) => digest)
  assert.ok(byBlob.size > layers, 'layers and config')
  for (const [digest, ranges] of byBlob) {
    let reached = 0
    for (const { start, end } of ranges) {
      const story = `${digest}: ${ranges.map((one) => `${one.start}-${one.end}`).join(' ')}`
      assert.ok(start <= reached, `nothing is left out: ${story}`)
      assert.ok(start >= reached - chunkBytes, `${reached - start} bytes twice: ${story}`)
      most = Math.max(most, reached - start)
      reached = Math.max(reached, end)
    }
  }
  return most
}
