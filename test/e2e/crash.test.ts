/** `kill -9` of the daemon at the worst moments: nothing is lost, and the next start explains everything.
 *  BERTH_CRASH_ROUNDS repeats each scenario (20 before a release). */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestDaemon } from '../helpers/daemon.ts'
import { TestRegistry } from '../helpers/registry.ts'
import { SlowProxy } from '../helpers/slow-proxy.ts'
import { writeBusyboxArchive } from '../helpers/test-image.ts'
import { until } from '../helpers/wait.ts'
import { unexplained } from '../helpers/world.ts'

const rounds = Array.from({ length: Number(process.env.BERTH_CRASH_ROUNDS ?? 1) }, (_, i) => i + 1)
let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface State {
  readonly Status: string
  readonly ExitCode: number
  readonly Pid: number
  readonly FinishedAt: string
}

async function state(id: string): Promise<State> {
  return (await daemon.api<{ State: State }>('GET', `/containers/${id}/json`)).body.State
}

async function assertExplained(): Promise<void> {
  let problems: string[] = []
  const clean = async () => (problems = await unexplained(daemon)).length === 0
  await until(clean, { what: () => `nothing to be left over:\n${problems.join('\n')}` })
}

const numbered =
  'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i"; [ $((i % 20)) = 0 ] && sleep 0.01; done; exit 5'
const numberedLines = Array.from({ length: 2000 }, (_, i) => `line ${i + 1}`)

for (const round of rounds) {
  describe(`round ${round}`, () => {
    for (const terminal of [false, true]) {
      test(`while a container prints ${terminal ? 'to a terminal' : 'to pipes'}: every line is in the log once`, async () => {
        const flags = terminal ? ['-t'] : []
        const id = await daemon.ok(['run', '-d', ...flags, 'busybox', 'sh', '-c', numbered])
        const watcher = daemon.spawnDocker(['attach', '--no-stdin', id])
        await until(async () => (await daemon.ok(['logs', id])).includes('line 100'), { what: 'some lines' })
        await daemon.kill9()
        await watcher.ended
        await sleep(200)
        await daemon.start()
        assert.equal(await daemon.ok(['wait', id]), '5')
        const lines = (await daemon.ok(['logs', id])).split(/\r?\n|\r$/).filter((line) => line !== '')
        assert.deepEqual(lines, numberedLines)
        await daemon.ok(['rm', id])
        await assertExplained()
      })
    }

    test('while another ends: its code and its time are recorded', async () => {
      const id = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', 'sleep 0.5; exit 7'])
      await daemon.kill9()
      const killedAt = Date.now()
      await sleep(1200)
      const startedAt = Date.now()
      await daemon.start()
      const { Status, ExitCode, FinishedAt } = await state(id)
      assert.deepEqual([Status, ExitCode], ['exited', 7])
      const finished = Date.parse(FinishedAt)
      assert.ok(
        finished > killedAt - 1000 && finished < startedAt,
        `${FinishedAt} is when it ended, not when it was found`,
      )
      assert.equal(await daemon.ok(['wait', id]), '7')
      await daemon.ok(['rm', id])
      await assertExplained()
    })

    test('running containers run on: attach, exec, ports, stop', async () => {
      const script =
        'mkdir /www; echo page >/www/index.html; httpd -p 80 -h /www; while read x; do echo "got $x"; done; exit 3'
      const id = await daemon.ok([
        'run',
        '-d',
        '-i',
        '-p',
        '127.0.0.1::80',
        '--restart',
        'on-failure',
        'busybox',
        'sh',
        '-c',
        script,
      ])
      const { Pid } = await state(id)
      const port = (await daemon.ok(['port', id, '80'])).split(':').pop()
      await daemon.kill9()
      await daemon.start()
      assert.equal((await state(id)).Pid, Pid)
      assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'page\n')
      const client = daemon.spawnDocker(['attach', id])
      await until(
        async () => {
          client.write('again\n')
          return client.stdout.includes('got again')
        },
        { what: 'an answer', intervalMs: 200 },
      )
      client.kill('SIGKILL')
      await client.ended
      await daemon.ok(['stop', '-t', '0', id])
      assert.equal((await state(id)).Status, 'exited')
      await daemon.ok(['rm', id])
      await assertExplained()
    })

    test('restart policies act on what ended meanwhile', async () => {
      const always = await daemon.ok([
        'run',
        '-d',
        '--restart',
        'always',
        'busybox',
        'sh',
        '-c',
        'echo run; sleep 0.4; exit 1',
      ])
      const never = await daemon.ok(['run', '-d', 'busybox', 'sh', '-c', 'sleep 0.4'])
      const stopped = await daemon.ok(['run', '-d', '--restart', 'unless-stopped', 'busybox', 'sleep', '1000'])
      await daemon.ok(['stop', '-t', '0', stopped])
      await daemon.kill9()
      await sleep(800)
      await daemon.start()
      await until(async () => (await daemon.ok(['logs', always])).split('run').length >= 3, { what: 'a second run' })
      assert.equal((await state(never)).Status, 'exited')
      assert.equal((await state(stopped)).Status, 'exited')
      await daemon.ok(['rm', '-f', always, never, stopped])
      await assertExplained()
    })

    test('in the middle of 20 starts: each runs or does not, nothing in between', async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => daemon.ok(['create', '-p', '127.0.0.1::80', 'busybox', 'sleep', '1000'])),
      )
      const starts = ids.map((id) => daemon.api('POST', `/containers/${id}/start`).catch(() => undefined))
      await sleep(20 + Math.random() * 250)
      await daemon.kill9()
      await Promise.all(starts)
      await daemon.start()
      for (const id of ids) assert.match((await state(id)).Status, /^(created|running|exited)$/)
      await assertExplained()
      for (const id of ids) {
        const started = await daemon.api('POST', `/containers/${id}/start`)
        assert.ok(started.status === 204 || started.status === 304, started.text)
      }
      assert.equal((await daemon.ok(['ps', '-q'])).split('\n').length, 20)
      await daemon.ok(['rm', '-f', ...ids])
      await assertExplained()
    })

    test('in the middle of 20 removes', async () => {
      const ids = await Promise.all(
        Array.from({ length: 20 }, () => daemon.ok(['run', '-d', 'busybox', 'sleep', '1000'])),
      )
      const removes = ids.map((id) => daemon.api('DELETE', `/containers/${id}?force=1`).catch(() => undefined))
      await sleep(Math.random() * 150)
      await daemon.kill9()
      await Promise.all(removes)
      await daemon.start()
      await assertExplained()
      await daemon.ok(['rm', '-f', ...ids])
      assert.equal(await daemon.ok(['ps', '-aq']), '')
      await assertExplained()
    })
  })
}

describe('interrupted pull and load', () => {
  let registry: TestRegistry
  let proxy: SlowProxy
  let archive: string
  let repository: string
  const layerBytes = 8 * 1024 * 1024

  before(async () => {
    registry = await TestRegistry.start()
    proxy = await SlowProxy.start(registry.name)
    archive = join(daemon.root, 'large.tar')
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
    await proxy?.[Symbol.asyncDispose]()
    await registry?.[Symbol.asyncDispose]()
  })

  for (const round of rounds) {
    test(`round ${round}: a pull goes on where it was`, async () => {
      proxy.pauseMs = 100
      proxy.bytesServed = 0
      const pull = daemon.docker(['pull', repository])
      await until(() => proxy.bytesServed > layerBytes / 2, { what: 'half of the layer', timeoutMs: 30_000 })
      await daemon.kill9()
      await pull
      proxy.pauseMs = 0
      proxy.ranges.length = 0
      await daemon.start()
      assert.equal((await daemon.docker(['inspect', repository])).code, 1)
      await daemon.ok(['pull', repository])
      assert.ok(
        proxy.ranges.some((range) => /^bytes=[1-9]\d{5,}-/.test(range)),
        `ranges: ${proxy.ranges.join(' ')}`,
      )
      assert.equal(await daemon.ok(['run', '--rm', repository]), String(layerBytes))
      await daemon.ok(['rmi', repository])
      await assertExplained()
    })

    test(`round ${round}: a load begins again`, async () => {
      const load = daemon.spawnDocker(['load', '-i', archive])
      await sleep(20 + Math.random() * 100)
      await daemon.kill9()
      await load.ended
      await daemon.start()
      await daemon.ok(['load', '-q', '-i', archive])
      assert.equal(await daemon.ok(['run', '--rm', 'large:1']), String(layerBytes))
      await daemon.ok(['rmi', 'large:1'])
      await assertExplained()
    })
  }
})
