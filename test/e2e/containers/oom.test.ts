/** The kernel kills a process of a container because of its memory limit: the event `oom` and `State.OOMKilled` come
 *  at once, whether the container ends or continues. */
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

interface State {
  readonly Status: string
  readonly OOMKilled: boolean
  readonly ExitCode: number
}

async function stateOf(id: string): Promise<State> {
  const { body } = await daemon.api<{ State: State }>('GET', `/containers/${id}/json`)
  return body.State
}

/** The events of a container so far, oldest first. */
async function actions(id: string): Promise<string[]> {
  const filters = encodeURIComponent(JSON.stringify({ container: [id], type: ['container'] }))
  const { text } = await daemon.api('GET', `/events?since=0&until=${Date.now() / 1000}&filters=${filters}`)
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line) => (JSON.parse(line) as { Action: string }).Action)
}

async function ooms(id: string): Promise<number> {
  return (await actions(id)).filter((action) => action === 'oom').length
}

const greedy = 'x=x; while :; do x=$x$x; done'
const limits = ['--network', 'none', '-m', '24m', '--memory-swap', '24m']

function run(script: string, ...flags: string[]): Promise<string> {
  return daemon.ok(['run', '-d', ...limits, ...flags, 'busybox', 'sh', '-c', script])
}

/** Lets another process of the container fill its memory, and waits for the event. */
async function fillBeside(id: string): Promise<void> {
  const before = await ooms(id)
  const { code } = await daemon.docker(['exec', id, 'sh', '-c', greedy])
  assert.equal(code, 137)
  await until(async () => (await ooms(id)) > before, { what: 'the event of the kill' })
}

/** A child of the first process fills its memory; the container continues. */
const survivor = `sh -c '${greedy}'; echo over; exec sleep 1000`

async function survived(id: string): Promise<void> {
  await until(async () => (await daemon.ok(['logs', id])).endsWith('over'), { what: 'the container to go on' })
}

test('an OOM kill of a child is reported at once each time, while the container continues', async () => {
  const id = await run(survivor)
  await survived(id)
  await until(async () => (await ooms(id)) > 0, { what: 'the event' })
  const running = await stateOf(id)
  assert.deepEqual([running.Status, running.OOMKilled], ['running', true])
  await fillBeside(id)
  await daemon.ok(['kill', id])
  const ended = await stateOf(id)
  assert.deepEqual([ended.Status, ended.OOMKilled, ended.ExitCode], ['exited', true, 137])
  const all = await actions(id)
  assert.ok(all.lastIndexOf('oom') < all.indexOf('die'), all.join())
  await daemon.ok(['rm', id])
})

test('an OOM kill of the first process is reported before the end; a new run starts without it', async () => {
  const id = await run(`[ -e /again ] && exec sleep 1000; touch /again; ${greedy}`)
  assert.equal(await daemon.ok(['wait', id]), '137')
  assert.equal((await stateOf(id)).OOMKilled, true)
  const all = await actions(id)
  assert.ok(all.includes('oom') && all.lastIndexOf('oom') < all.indexOf('die'), all.join())
  await daemon.ok(['start', id])
  const again = await stateOf(id)
  assert.deepEqual([again.Status, again.OOMKilled], ['running', false])
  await daemon.ok(['rm', '-f', id])
})

test('an OOM kill is reported once across restarts of the daemon; one in between by the next daemon', async () => {
  const told = await run(survivor)
  await survived(told)
  await until(async () => (await stateOf(told)).OOMKilled, { what: 'OOMKilled' })
  const later = await run(`while [ ! -e /go ]; do sleep 0.05; done; ${survivor}`)
  await daemon.kill9()
  writeFileSync(join(daemon.execRoot, 'c', later, 'rootfs/go'), '')
  await until(() => existsSync(join(daemon.execRoot, 'c', later, 'oom')), { what: 'the kill' })
  // A daemon only has the events since its own start.
  await daemon.start()
  assert.deepEqual([(await stateOf(told)).OOMKilled, (await stateOf(later)).OOMKilled], [true, true])
  assert.deepEqual([await ooms(told), await ooms(later)], [0, 1])
  await fillBeside(told)
  await daemon.restart()
  assert.deepEqual([(await stateOf(told)).OOMKilled, (await stateOf(later)).OOMKilled], [true, true])
  assert.deepEqual([await ooms(told), await ooms(later)], [0, 0])
  await daemon.ok(['rm', '-f', told, later])
})
