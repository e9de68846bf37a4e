/** pause and unpause: what stops, what the other verbs do to a paused container, and what a restart of the daemon
 *  keeps. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { assertExplained } from '../../helpers/daemons/world.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

const counting = 'i=0; while :; do i=$((i+1)); echo $i >/count; sleep 0.02; done'

/** A container that counts, paused. */
async function paused(...options: string[]): Promise<string> {
  const id = await daemon.ok(['run', '-d', ...options, 'busybox', 'sh', '-c', counting])
  await until(async () => (await count(id).catch(() => '')) !== '', { what: 'it to count' })
  assert.equal(await daemon.ok(['pause', id]), id)
  return id
}

function state(id: string, format = '{{.State.Status}} {{.State.Running}} {{.State.Paused}}'): Promise<string> {
  return daemon.ok(['inspect', '-f', format, id])
}

async function count(id: string): Promise<string> {
  const pid = await state(id, '{{.State.Pid}}')
  return await readFile(`/proc/${pid}/root/count`, 'utf8')
}

async function refused(args: string[], message: RegExp): Promise<void> {
  const { code, stderr } = await daemon.docker(args)
  assert.notEqual(code, 0, args.join(' '))
  assert.match(stderr, message)
}

test('a paused container stands still, is shown as paused, and continues', async () => {
  const id = await paused()
  assert.equal(await state(id), 'paused true true')
  assert.match(
    await daemon.ok(['ps', '--format', '{{.Status}} {{.State}}', '-f', `id=${id}`]),
    /^Up .* \(Paused\) paused$/,
  )
  assert.equal(await daemon.ok(['ps', '-q', '--no-trunc', '-f', 'status=paused']), id)
  assert.equal(await daemon.ok(['info', '-f', '{{.ContainersPaused}} {{.ContainersRunning}}']), '1 0')
  const before = await count(id)
  await sleep(150)
  assert.equal(await count(id), before)
  assert.equal(await daemon.ok(['unpause', id]), id)
  assert.equal(await state(id), 'running true false')
  await until(async () => (await count(id)) !== before, { what: 'it to count on' })
  await daemon.ok(['rm', '-f', id])
})

test("refusals have Docker's texts", async () => {
  const id = await paused('--name', 'still')
  await refused(['pause', 'still'], new RegExp(`Container ${id} is already paused`))
  await refused(['start', 'still'], /cannot start a paused container, try unpause instead/)
  await refused(['exec', 'still', 'true'], new RegExp(`Container ${id} is paused, unpause the container before exec`))
  await refused(
    ['attach', 'still'],
    /[Yy]ou cannot attach to a paused container|is paused, unpause the container before/,
  )
  await refused(['rm', 'still'], /cannot remove container "\/still": container is paused and must be unpaused first/)
  assert.equal((await daemon.api('POST', '/containers/still/attach?stream=1&stdout=1')).status, 409)
  await daemon.ok(['unpause', 'still'])
  await refused(['unpause', 'still'], new RegExp(`Container ${id} is not paused`))
  await daemon.ok(['rm', '-f', 'still'])
  const created = await daemon.ok(['create', 'busybox'])
  await refused(['pause', created], new RegExp(`container ${created} is not running`))
  await refused(['unpause', created], new RegExp(`Container ${created} is not paused`))
  await daemon.ok(['rm', created])
})

test('stop, kill, restart, rm -f, rename, top and wait work', async () => {
  const id = await paused()
  const waiting = daemon.ok(['wait', id])
  await daemon.ok(['rename', id, 'renamed'])
  assert.match(await daemon.ok(['top', id]), /sleep|sh -c/)
  await daemon.ok(['stop', '-t', '0', id])
  assert.equal(await waiting, '137')
  assert.equal(await state(id), 'exited false false')
  for (const [verb, after] of [
    [['kill'], 'exited false false'],
    [['restart', '-t', '0'], 'running true false'],
    // The first process ignores this signal, but wakes up.
    [['kill', '-s', 'HUP'], 'running true false'],
  ] as const) {
    await daemon.docker(['start', id])
    await daemon.ok(['pause', id])
    await daemon.ok([...verb, id])
    await until(async () => (await state(id)) === after, { what: `${after} after ${verb.join(' ')}` })
  }
  await daemon.ok(['pause', id])
  await daemon.ok(['rm', '-f', id])
  await assertExplained(daemon)
})

test('commit leaves a paused container paused', async () => {
  const id = await paused()
  await daemon.ok(['commit', id, 'of-paused'])
  assert.equal(await state(id), 'paused true true')
  const before = await count(id)
  await sleep(60)
  assert.equal(await count(id), before)
  await daemon.ok(['rm', '-f', id])
})

test('pause and unpause are events', async () => {
  const id = await paused('--label', 'a=b')
  await daemon.ok(['unpause', id])
  const format = '{{.Action}} {{.Actor.Attributes.a}} {{.Actor.Attributes.image}}'
  const now = String(Date.now() / 1000 + 1)
  const filters = ['-f', `container=${id}`, '-f', 'event=pause', '-f', 'event=unpause']
  const seen = await daemon.ok(['events', '--since', '0', '--until', now, ...filters, '--format', format])
  assert.equal(seen, 'pause b busybox\nunpause b busybox')
  await daemon.ok(['rm', '-f', id])
})

test('a paused container survives a stop and a crash of the daemon', async () => {
  const id = await paused('--restart', 'always')
  const before = await count(id)
  await daemon.restart()
  assert.equal(await state(id), 'paused true true')
  await daemon.kill9()
  await daemon.start()
  assert.equal(await state(id), 'paused true true')
  assert.equal(await count(id), before)
  await daemon.ok(['unpause', id])
  await until(async () => (await count(id)) !== before, { what: 'it to count on' })
  await daemon.ok(['rm', '-f', id])
  await assertExplained(daemon)
})
