/** Containers that behave badly, one after another, next to a container that behaves well: each ends as with Docker,
 *  the daemon stays small, and the other container is not affected. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { runCommand } from '../../helpers/command.ts'
import { clientProgram, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { patience, until } from '../../helpers/wait.ts'

let daemon: TestDaemon
let bystander: string
let bystanderPid: number

const mb = 1024 ** 2
/** 1 GB outside of CI: `BERTH_FLOOD_MB=1024`. */
const floodBytes = Number(process.env.BERTH_FLOOD_MB ?? 32) * mb
const daemonLimitBytes = 200 * mb

interface State {
  readonly Status: string
  readonly ExitCode: number
  readonly OOMKilled: boolean
  readonly Pid: number
}

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
  bystander = await run([], 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done')
  bystanderPid = (await stateOf(bystander)).Pid
})
after(() => daemon?.[Symbol.asyncDispose]())

afterEach(async () => {
  const state = await stateOf(bystander)
  assert.deepEqual([state.Status, state.Pid], ['running', bystanderPid])
  assert.equal(await daemon.ok(['exec', bystander, 'echo', 'well']), 'well')
  const last = await until(lastTick, { what: 'the bystander to begin' })
  await until(async () => (await lastTick()) > last, { what: 'more of the bystander' })
  const peak = Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) * 1024
  assert.ok(peak < daemonLimitBytes, `the daemon had ${Math.round(peak / mb)} MB`)
})

async function lastTick(): Promise<number> {
  return Number((await daemon.ok(['logs', '--tail', '1', bystander])).split(' ')[1])
}

function run(options: readonly string[], script: string): Promise<string> {
  return daemon.ok(['run', '-d', '--network', 'none', ...options, 'busybox', 'sh', '-c', script])
}

async function stateOf(id: string): Promise<State> {
  const { body } = await daemon.api<{ State: State }>('GET', `/containers/${id}/json`)
  return body.State
}

async function ended(id: string): Promise<State> {
  await daemon.ok(['wait', id], { timeoutMs: 600_000 })
  return stateOf(id)
}

/** More than all buffers between a container and a client can hold. */
const blockingBytes = 8 * mb

const print = (bytes: number) => `head -c ${bytes} /dev/zero | tr "\\0" x`

test('prints without a newline, with no client, to a client and to docker logs', {
  timeout: 600_000 * patience,
}, async () => {
  const id = await run([], print(floodBytes))
  assert.equal((await ended(id)).ExitCode, 0)
  // The client only counts and keeps nothing either.
  const client = `${clientProgram} -H ${daemon.host}`
  const count = async (command: string) => Number(await shell(`${command} | wc -c`))
  assert.equal(await count(`${client} logs ${id}`), floodBytes)
  assert.equal(await count(`${client} run --rm --network none busybox sh -c '${print(floodBytes)}'`), floodBytes)
  await daemon.ok(['rm', id])
})

test('prints without a newline to a client that does not read, while another one reads', {
  timeout: 120_000 * patience,
}, async () => {
  const id = await run(['-i'], `read x; ${print(blockingBytes)}; echo; echo end`)
  const follower = daemon.spawnDocker(['logs', '-f', id])
  // The client is frozen: its connection fills up and stays full.
  const deaf = daemon.spawnDocker(['attach', '--no-stdin', id])
  await until(async () => (await attachments(id)) > 0, { what: 'the attachment' })
  deaf.kill('SIGSTOP')
  const starter = daemon.spawnDocker(['attach', id])
  starter.write('go\n')
  await until(() => follower.stdout.endsWith('end\n'), { timeoutMs: 60_000, what: 'the end of the output' })
  assert.equal(follower.stdout.length, blockingBytes + 5)
  assert.equal((await ended(id)).ExitCode, 0)
  deaf.kill('SIGKILL')
  await Promise.all([follower.ended, deaf.ended, starter.ended])
  await daemon.ok(['rm', id])
})

test('forks until its pids limit', async () => {
  const id = await run(['--pids-limit', '20'], 'while sleep 1000 & do :; done; echo full; wait')
  await until(async () => (await daemon.docker(['logs', id])).stderr.includes("can't fork"), { what: "can't fork" })
  assert.equal((await ended(id)).ExitCode, 2)
  await daemon.ok(['rm', id])
})

test('fills its memory', async () => {
  const id = await run(['-m', '16m', '--memory-swap', '16m'], 'x=x; while :; do x=$x$x; done')
  const { ExitCode, OOMKilled } = await ended(id)
  assert.deepEqual([ExitCode, OOMKilled], [137, true])
  await daemon.ok(['rm', id])
})

test('closes its stdout and keeps running', async () => {
  const id = await run([], 'echo begin; exec >&- 2>&-; sleep 1000')
  await until(async () => (await daemon.ok(['logs', id])) === 'begin')
  assert.equal((await stateOf(id)).Status, 'running')
  assert.equal(await daemon.ok(['exec', id, 'echo', 'in']), 'in')
  await daemon.ok(['kill', id])
  assert.equal((await ended(id)).ExitCode, 137)
  await daemon.ok(['rm', id])
  // An attached client stays until the end and gets the exit code.
  const args = ['run', '--rm', '--network', 'none', 'busybox', 'sh', '-c', 'exec >&- 2>&-; sleep 0.5; exit 7']
  assert.equal((await daemon.docker(args)).code, 7)
})

test('has an init process that ignores SIGTERM', async () => {
  const id = await run([], 'trap "" TERM; echo armed; while :; do sleep 0.1; done')
  await until(async () => (await daemon.ok(['logs', id])) === 'armed')
  const began = Date.now()
  await daemon.ok(['stop', '-t', '1', id])
  assert.ok(Date.now() - began >= 1000)
  const { Status, ExitCode, OOMKilled } = await stateOf(id)
  assert.deepEqual([Status, ExitCode, OOMKilled], ['exited', 137, false])
  await daemon.ok(['rm', id])
})

test('loses its monitor to kill -9', async () => {
  const once = await run([], 'echo begin; sleep 1000')
  const always = await run(['--restart', 'always'], 'echo begin; sleep 1000')
  for (const id of [once, always]) {
    await until(async () => (await daemon.ok(['logs', id])) === 'begin')
    process.kill(Number(readFileSync(join(daemon.execRoot, 'c', id, 'conmon.pid'), 'utf8')), 'SIGKILL')
  }
  // The program is ended too, because its streams have no reader anymore.
  const { Status, ExitCode, OOMKilled } = await ended(once)
  assert.deepEqual([Status, ExitCode, OOMKilled], ['exited', 137, false])
  assert.equal(await daemon.ok(['start', once]), once)
  await until(async () => (await daemon.ok(['logs', always])) === 'begin\nbegin', { what: 'the restart' })
  assert.equal((await stateOf(always)).Status, 'running')
  await daemon.ok(['rm', '-f', once, always])
})

async function attachments(id: string): Promise<number> {
  const { text } = await daemon.api(
    'GET',
    `/events?since=0&until=${Math.ceil(Date.now() / 1000)}&filters=${encodeURIComponent(JSON.stringify({ container: [id], event: ['attach'] }))}`,
  )
  return text.split('\n').filter((line) => line !== '').length
}

async function shell(command: string): Promise<string> {
  const { stdout, stderr, code } = await runCommand('sh', ['-c', command], { timeoutMs: 300_000 })
  assert.equal(code, 0, stderr)
  return stdout.trim()
}
