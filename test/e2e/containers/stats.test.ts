/** stats and top, with the docker CLI, berth and plain HTTP. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openRequest } from '../../helpers/daemons/api.ts'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(async () => {
  await daemon?.[Symbol.asyncDispose]()
})

test('a reading has values for processors, memory, processes, devices and networks', async () => {
  await daemon.ok([
    'run',
    '-d',
    '--name',
    'busy',
    '-m',
    '64m',
    '--pids-limit',
    '50',
    'busybox',
    'sh',
    '-c',
    'while :; do :; done',
  ])
  const { body } = await daemon.api('GET', '/containers/busy/stats?stream=false')
  const stats = body as import('../../../src/api/index.ts').ContainerStats
  assert.equal(stats.name, '/busy')
  assert.ok(stats.cpu_stats.cpu_usage.total_usage > stats.precpu_stats.cpu_usage.total_usage)
  assert.ok((stats.cpu_stats.system_cpu_usage ?? 0) > (stats.precpu_stats.system_cpu_usage ?? 0))
  assert.ok((stats.precpu_stats.system_cpu_usage ?? 0) > 0)
  assert.equal(stats.memory_stats.limit, 64 << 20)
  assert.ok((stats.memory_stats.usage ?? 0) > 0)
  assert.deepEqual(stats.pids_stats, { current: 1, limit: 50 })
  assert.deepEqual(Object.keys(stats.networks ?? {}), ['eth0'])
  assert.ok(Object.keys(stats.memory_stats.stats ?? {}).length > 10)
  const once = (await daemon.api('GET', '/containers/busy/stats?stream=false&one-shot=true')).body as typeof stats
  assert.equal(once.precpu_stats.cpu_usage.total_usage, 0)
  assert.equal(once.preread, '0001-01-01T00:00:00Z')
  assert.ok(once.cpu_stats.cpu_usage.total_usage > 0)
  const line = await daemon.ok(['stats', '--no-stream', '--format', '{{.Name}}|{{.CPUPerc}}|{{.MemUsage}}|{{.PIDs}}'])
  assert.match(line, /^busy\|[1-9][\d.]*%\|.*\/ 64MiB\|1$/)
  await daemon.ok(['rm', '-f', 'busy'])
})

test('a stream continues over stop and start, and ends with the container', async () => {
  await daemon.ok(['run', '-d', '--name', 'streamed', '--network', 'none', 'busybox', 'sleep', '1000'])
  const response = await openRequest(daemon.socket, 'GET', '/containers/streamed/stats')
  let text = ''
  const ended = new Promise((resolve) => response.once('end', resolve))
  response.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await daemon.ok(['kill', 'streamed'])
  await daemon.ok(['rm', 'streamed'])
  await ended
  const readings = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  assert.ok(readings.length >= 1)
  assert.equal(readings[0].networks, undefined)
})

test('a stopped container gives names and zeros; a missing one an error', async () => {
  await daemon.ok(['create', '--name', 'still', 'busybox'])
  const { body } = await daemon.api('GET', '/containers/still/stats?stream=false')
  const stats = body as import('../../../src/api/index.ts').ContainerStats
  assert.deepEqual(
    [stats.name, stats.read, stats.memory_stats, stats.pids_stats],
    ['/still', '0001-01-01T00:00:00Z', {}, {}],
  )
  assert.match(await daemon.ok(['stats', '--no-stream', '-a']), /still +0\.00% +0B \/ 0B/)
  for (const args of [
    ['stats', '--no-stream', '-a'],
    ['stats', '--no-stream', 'still'],
    ['stats', '--no-stream', '--no-trunc', 'still'],
    ['stats', '--no-stream', '--format', '{{json .}}', 'still'],
    ['stats', '--no-stream', '--format', 'table {{.Container}}\t{{.PIDs}}', 'still'],
    ['stats', '--no-stream', 'none'],
  ]) {
    const [theirs, ours] = [await daemon.docker(args), await daemon.berth(args)]
    assert.deepEqual(
      [ours.code, ours.stdout, ours.stderr.replace(/^berth: /, '')],
      [theirs.code, theirs.stdout, theirs.stderr],
      args.join(' '),
    )
  }
  assert.equal((await daemon.api('GET', '/containers/none/stats')).status, 404)
  await daemon.ok(['rm', 'still'])
})
