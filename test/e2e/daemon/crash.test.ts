/** `kill -9` of the daemon while containers run, end, and wait for their restart: nothing is lost, and the next
 *  daemon finds the right states. BERTH_CRASH_ROUNDS repeats each scenario (20 before a release). Interrupted work
 *  is in crash-work.test.ts, pulls and loads in crash-images.test.ts. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained, processesInContainers, processesNaming } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

const rounds = Array.from({ length: Number(process.env.BERTH_CRASH_ROUNDS ?? 1) }, (_, i) => i + 1)
let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface Inspected {
  readonly RestartCount: number
  readonly State: {
    readonly Status: string
    readonly ExitCode: number
    readonly Pid: number
    readonly StartedAt: string
    readonly FinishedAt: string
  }
}

async function inspect(id: string): Promise<Inspected> {
  return (await daemon.api<Inspected>('GET', `/containers/${id}/json`)).body
}

async function state(id: string): Promise<Inspected['State']> {
  return (await inspect(id)).State
}

/** Runs a shell script in a container in the background; returns its id. */
function shell(script: string, ...flags: string[]): Promise<string> {
  return daemon.ok(['run', '-d', ...flags, 'busybox', 'sh', '-c', script])
}

/** Waits until a container and its monitor have ended, while no daemon runs. */
async function ended(id: string): Promise<void> {
  await until(() => processesNaming(id).length === 0, { what: 'the monitor to end' })
}

/** Changes the database while its daemon is stopped. */
function inDatabase<T>(work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(daemon.dataRoot, 'berth.db'))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

function recordOf(id: string): string {
  return inDatabase((db) => String(db.prepare('SELECT record FROM containers WHERE id = ?').get(id)?.record))
}

function setRecord(id: string, record: string): void {
  inDatabase((db) => db.prepare('UPDATE containers SET record = ? WHERE id = ?').run(record, id))
}

const numbered =
  'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); echo "line $i"; [ $((i % 20)) = 0 ] && sleep 0.01; done; exit 5'
const numberedLines = Array.from({ length: 2000 }, (_, i) => `line ${i + 1}`)

function linesOf(text: string): string[] {
  return text.split(/\r?\n|\r$/).filter((line) => line !== '')
}

for (const round of rounds) {
  describe(`round ${round}`, () => {
    for (const terminal of [false, true]) {
      test(`while a container prints ${terminal ? 'to a terminal' : 'to pipes'}: every line is in the log once`, async () => {
        const id = await shell(numbered, ...(terminal ? ['-t'] : []))
        const watchers = [daemon.spawnDocker(['attach', '--no-stdin', id]), daemon.spawnDocker(['logs', '-f', id])]
        await until(async () => (await daemon.ok(['logs', id])).includes('line 100'), { what: 'some lines' })
        await sleep(Math.random() * 200)
        await daemon.kill9()
        await Promise.all(watchers.map(({ ended }) => ended))
        await sleep(Math.random() * 200)
        await daemon.start()
        const followed = daemon.spawnDocker(['logs', '-f', id])
        assert.equal(await daemon.ok(['wait', id]), '5')
        assert.deepEqual(linesOf(await daemon.ok(['logs', id])), numberedLines)
        assert.deepEqual(linesOf((await followed.ended).stdout), numberedLines)
        await daemon.ok(['rm', id])
        await assertExplained(daemon)
      })
    }

    test('exit codes and times are recorded of containers that end before and after the crash', async () => {
      const seconds = [0.2, 0.3, 0.4, 0.5, 0.9]
      const ids = await Promise.all(seconds.map((delay) => shell(`sleep ${delay}; exit 7`)))
      await sleep(Math.random() * 200)
      await daemon.kill9()
      await Promise.all(ids.map(ended))
      await sleep(300)
      const startedAt = Date.now()
      await daemon.start()
      for (const [index, id] of ids.entries()) {
        const { Status, ExitCode, StartedAt, FinishedAt } = await state(id)
        assert.deepEqual([Status, ExitCode], ['exited', 7])
        const ranMs = Date.parse(FinishedAt) - Date.parse(StartedAt)
        const wantedMs = (seconds[index] ?? 0) * 1000
        assert.ok(ranMs > wantedMs - 60 && Date.parse(FinishedAt) < startedAt - 200, `${StartedAt} to ${FinishedAt}`)
        assert.equal(await daemon.ok(['wait', id]), '7')
      }
      await daemon.ok(['rm', ...ids])
      await assertExplained(daemon)
    })

    test('running containers keep running: attach, exec, ports, names, restart, stop work', async () => {
      const script =
        'mkdir -p /www; echo page >/www/index.html; httpd -p 80 -h /www; while read x; do echo "got $x"; done; exit 3'
      const id = await shell(script, '-i', '-p', '127.0.0.1::80', '--restart', 'on-failure')
      const { Pid } = await state(id)
      const port = (await daemon.ok(['port', id, '80'])).split(':').pop()
      await daemon.kill9()
      await daemon.start()
      assert.equal((await state(id)).Pid, Pid)
      await assertExplained(daemon)
      assert.equal(await daemon.ok(['exec', id, 'echo', 'alive']), 'alive')
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'page\n')
      const taken = await daemon.docker(['run', '--rm', '-p', `127.0.0.1:${port}:80`, 'busybox', 'true'])
      assert.equal(taken.code, 125)
      assert.match(taken.stderr, /already allocated/)
      const client = daemon.spawnDocker(['attach', id])
      const answered = async () => {
        client.write('again\n')
        return client.stdout.includes('got again')
      }
      await until(answered, { what: 'an answer', intervalMs: 200 })
      client.kill('SIGKILL')
      await client.ended
      await daemon.ok(['restart', '-t', '0', id])
      assert.notEqual((await state(id)).Pid, Pid)
      await daemon.ok(['stop', '-t', '0', id])
      assert.equal((await state(id)).Status, 'exited')
      await daemon.ok(['rm', id])
      await assertExplained(daemon)
    })

    test('restart policies apply to containers that ended meanwhile or waited for a restart', async () => {
      const failing = 'echo run; sleep 0.4; exit 1'
      const [always, twice, never, clean, stopped, unlessStopped] = await Promise.all([
        shell(failing, '--restart', 'always'),
        shell(failing, '--restart', 'on-failure:2'),
        shell(failing),
        shell('sleep 0.4', '--restart', 'on-failure'),
        shell('exec sleep 1000', '--restart', 'unless-stopped'),
        shell(failing, '--restart', 'unless-stopped'),
      ])
      await daemon.ok(['stop', '-t', '0', stopped])
      await sleep(Math.random() * 600)
      await daemon.kill9()
      await sleep(600)
      await daemon.start()
      const runs = async (id: string) => (await daemon.ok(['logs', id])).split('run').length - 1
      for (const id of [always, unlessStopped]) {
        await until(async () => (await runs(id)) >= 3, { what: 'a third run' })
      }
      await until(async () => (await state(twice)).Status === 'exited', { what: 'the last end' })
      assert.equal(await runs(twice), 3)
      assert.equal((await inspect(twice)).RestartCount, 2)
      assert.equal(await runs(never), 1)
      assert.deepEqual([(await state(never)).Status, (await state(never)).ExitCode], ['exited', 1])
      assert.deepEqual([(await state(clean)).Status, (await state(clean)).ExitCode], ['exited', 0])
      assert.equal((await state(stopped)).Status, 'exited')
      await daemon.ok(['rm', '-f', always, twice, never, clean, stopped, unlessStopped])
      await assertExplained(daemon)
    })

    test('after a start that was not recorded: a running container is found running, an ended one has its code and time', async () => {
      const running = await daemon.ok(['create', 'busybox', 'sleep', '1000'])
      const script = 'echo run; while [ ! -e /go ]; do sleep 0.02; done; exit 7'
      const over = await daemon.ok(['create', 'busybox', 'sh', '-c', script])
      const failing = await daemon.ok(['create', '--restart', 'on-failure:1', 'busybox', 'sh', '-c', script])
      const automatic = await daemon.ok(['create', '--rm', 'busybox', 'sh', '-c', script])
      const ids = [running, over, failing, automatic]
      const records = ids.map(recordOf)
      await daemon.ok(['start', ...ids])
      const { Pid } = await state(running)
      await daemon.kill9()
      const killedAt = Date.now()
      // The time of an exit is that of a file, which may be one kernel tick late.
      const clock = join(daemon.root, 'clock')
      await until(() => {
        writeFileSync(clock, '')
        return statSync(clock).mtimeMs > killedAt
      })
      for (const id of [over, failing, automatic]) writeFileSync(join(daemon.execRoot, 'c', id, 'rootfs/go'), '')
      await Promise.all([over, failing, automatic].map(ended))
      for (const [index, id] of ids.entries()) setRecord(id, records[index] ?? '')
      await daemon.start()
      const found = await state(running)
      assert.deepEqual([found.Status, found.Pid], ['running', Pid])
      assert.ok(Date.parse(found.StartedAt) < killedAt)
      const { Status, ExitCode, StartedAt, FinishedAt } = await state(over)
      assert.deepEqual([Status, ExitCode], ['exited', 7])
      const times = [Date.parse(StartedAt), killedAt, Date.parse(FinishedAt)]
      assert.deepEqual(times, times.toSorted(), `${StartedAt} to ${FinishedAt}`)
      assert.equal((await daemon.api('GET', `/containers/${automatic}/json`)).status, 404)
      await until(async () => (await inspect(failing)).RestartCount === 1, { what: 'a restart by policy' })
      await daemon.ok(['rm', '-f', running, over, failing])
      await assertExplained(daemon)
    })

    test('after a crash of the host: running containers are recorded as ended, and policies apply', async () => {
      const [always, never, removed] = await Promise.all([
        shell('echo run; exec sleep 1000', '--restart', 'always', '-p', '127.0.0.1::80'),
        shell('exec sleep 1000', '-p', '127.0.0.1::80'),
        shell('exec sleep 1000', '--rm'),
      ])
      await daemon.kill9()
      await loseRuntimeState()
      await daemon.start()
      await until(async () => (await daemon.ok(['logs', always])).split('run').length === 3, { what: 'a second run' })
      assert.deepEqual([(await state(never)).Status, (await state(never)).ExitCode], ['exited', 255])
      await until(async () => (await daemon.ok(['ps', '-aq', '--no-trunc'])).includes(removed) === false)
      await assertExplained(daemon)
      await daemon.ok(['start', never])
      await daemon.ok(['rm', '-f', always, never])
      await assertExplained(daemon)
    })

    test("a container that shares another one's network is started after it; a killed monitor is noticed", async () => {
      const shares = (id: string) => ['--restart', 'always', '--network', `container:${id}`]
      const first = await shell('echo run; exec sleep 1000', '--restart', 'always')
      const others = await Promise.all([1, 2, 3].map(() => shell('echo run; exec sleep 1000', ...shares(first))))
      const alone = await shell('exec sleep 1000')
      await daemon.kill9()
      for (const id of [first, alone, ...others]) for (const pid of processesNaming(id)) signal(pid)
      await daemon.start()
      for (const id of [first, ...others]) {
        await until(async () => (await daemon.ok(['logs', id])) === 'run\nrun', { what: 'a second run' })
      }
      assert.deepEqual([(await state(alone)).Status, (await state(alone)).ExitCode], ['exited', 255])
      await assertExplained(daemon)
      await daemon.ok(['rm', '-f', first, alone, ...others])
      await assertExplained(daemon)
    })

    test('a record that cannot be read does not affect others, and can be removed', async () => {
      const [broken, halved, fine] = await Promise.all([
        shell('exec sleep 1000', '--name', 'broken', '-p', '127.0.0.1::80'),
        daemon.ok(['create', '--name', 'halved', 'busybox']),
        shell('exec sleep 1000', '--name', 'fine'),
      ])
      await daemon.kill9()
      setRecord(broken, '{"version": 1, "id"')
      setRecord(halved, JSON.stringify({ version: 1, id: halved, name: 'halved' }))
      await daemon.start()
      assert.equal(await daemon.ok(['ps', '-aq', '--no-trunc']), fine)
      assert.match(daemon.log, /container record is broken/)
      assert.equal(processesNaming(broken).length, 1, 'it runs on')
      assert.ok(existsSync(join(daemon.dataRoot, 'containers', halved)))
      await daemon.ok(['rm', '-f', 'broken', halved, 'fine'])
      await daemon.ok(['run', '--rm', '--name', 'broken', 'busybox', 'true'])
      await assertExplained(daemon)
    })

    test('incomplete bundles and directories, and unknown monitors, are removed', async () => {
      const id = await daemon.ok(['create', 'busybox', 'sleep', '1000'])
      const lost = await shell('exec sleep 1000')
      await daemon.kill9()
      const bundle = join(daemon.execRoot, 'c', id)
      mkdirSync(join(bundle, 'rootfs'), { recursive: true })
      writeFileSync(join(bundle, 'config.json'), '{"ociVersion"')
      writeFileSync(join(bundle, 'conmon.pid'), '')
      mkdirSync(join(daemon.execRoot, 'crun', id))
      writeFileSync(join(daemon.execRoot, 'netns', 'abcdefabcdef'), '')
      mkdirSync(join(daemon.dataRoot, 'containers', 'e'.repeat(64)))
      writeFileSync(join(daemon.execRoot, 'exits', 'f'.repeat(64)), '0')
      inDatabase((db) => db.prepare('DELETE FROM containers WHERE id = ?').run(lost))
      await daemon.start()
      assert.equal((await state(id)).Status, 'created')
      await assertExplained(daemon)
      await daemon.ok(['start', id])
      await daemon.ok(['rm', '-f', id])
      await assertExplained(daemon)
    })
  })
}

/** Simulates a reboot: no process, mount, group or namespace is left, nor anything below the exec root. */
async function loseRuntimeState(): Promise<void> {
  const pids = () => [...processesNaming(daemon.execRoot), ...processesInContainers(daemon)]
  const gone = () => {
    for (const pid of pids()) signal(pid)
    return pids().length === 0
  }
  await until(gone, { what: 'the containers to end' })
  for (const mount of mountsBelow(daemon.root).reverse()) spawnSync('umount', ['-l', mount])
  rmSync(daemon.execRoot, { recursive: true })
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // ended meanwhile
  }
}
