/** `docker logs` with each of its options. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

async function finished(script: string, ...options: string[]): Promise<string> {
  const id = await daemon.ok(['run', '-d', ...options, 'busybox', 'sh', '-c', script])
  await daemon.ok(['wait', id])
  return id
}

test('both streams are separate and in order', async () => {
  const id = await finished('echo one; sleep 0.02; echo two >&2; sleep 0.02; printf three')
  const { stdout, stderr } = await daemon.docker(['logs', id])
  assert.equal(stdout, 'one\nthree')
  assert.equal(stderr, 'two\n')
  await daemon.ok(['rm', id])
})

test('--tail', async () => {
  const id = await finished('seq 1 1000')
  assert.equal(await daemon.ok(['logs', '--tail', '3', id]), '998\n999\n1000')
  assert.equal(await daemon.ok(['logs', '--tail', '0', id]), '')
  assert.equal((await daemon.ok(['logs', '--tail', 'all', id])).split('\n').length, 1000)
  await daemon.ok(['rm', id])
})

test('--timestamps, --since, --until', async () => {
  const id = await finished('echo early; sleep 1.2; echo late')
  const lines = (await daemon.ok(['logs', '-t', id])).split('\n')
  const times = lines.map((line) => line.split(' ')[0] ?? '')
  for (const time of times) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/)
  const [early = '', late = ''] = times
  assert.ok(Date.parse(late) - Date.parse(early) > 1000)
  assert.equal(await daemon.ok(['logs', '--since', late, id]), 'late')
  const middle = new Date((Date.parse(early) + Date.parse(late)) / 2).toISOString()
  assert.equal(await daemon.ok(['logs', '--since', middle, id]), 'late')
  assert.equal(await daemon.ok(['logs', '--until', middle, id]), 'early')
  assert.equal(await daemon.ok(['logs', '--since', '1h', id]), 'early\nlate')
  await daemon.ok(['rm', id])
})

test('--follow ends with the container and shows every line', async () => {
  const id = await daemon.ok([
    'run',
    '-d',
    'busybox',
    'sh',
    '-c',
    'for i in $(seq 1 50); do echo line $i; sleep 0.01; done',
  ])
  const { code, stdout } = await daemon.docker(['logs', '-f', id])
  assert.equal(code, 0)
  assert.equal(stdout, Array.from({ length: 50 }, (_, i) => `line ${i + 1}\n`).join(''))
  await daemon.ok(['rm', id])
})

test('--follow --tail 0 shows only new output; a partial line is shown', async () => {
  const id = await daemon.ok([
    'run',
    '-d',
    '-i',
    'busybox',
    'sh',
    '-c',
    'echo old; while read x && [ "$x" = tick ]; do echo tick; done; printf "prompt> "; read y; echo end',
  ])
  await until(async () => (await daemon.ok(['logs', id])) === 'old', { what: 'the first line' })
  const follower = daemon.spawnDocker(['logs', '-f', '--tail', '0', id])
  const writer = daemon.spawnDocker(['attach', id])
  await until(
    () => {
      writer.write('tick\n')
      return follower.stdout !== '' && writer.stdout !== ''
    },
    { what: 'both to be connected', intervalMs: 100 },
  )
  writer.write('1\n')
  await writer.sees('prompt> ')
  writer.write('2\n')
  assert.match((await follower.ended).stdout, /^(tick\n)+prompt> end\n$/)
  await writer.ended
  await daemon.ok(['rm', id])
})

test('long lines and binary data are unchanged', async () => {
  const id = await finished('head -c 100000 /dev/zero | tr "\\0" x; echo; printf "\\001\\377\\n" | od -An -tx1')
  const { stdout } = await daemon.docker(['logs', id])
  assert.equal(stdout, `${'x'.repeat(100_000)}\n 01 ff 0a\n`)
  await daemon.ok(['rm', id])
})

test('logs of a terminal', async () => {
  const id = await finished('echo one; echo two >&2', '-t')
  assert.equal((await daemon.docker(['logs', id])).stdout, 'one\r\ntwo\r\n')
  await daemon.ok(['rm', id])
})

test('logs of a missing container', async () => {
  const { code, stderr } = await daemon.docker(['logs', 'no-such'])
  assert.equal(code, 1)
  assert.match(stderr, /No such container: no-such/)
})

test('max-size and max-file: old lines are removed, the last ones stay', async () => {
  // The daemon looks at the size twice a second.
  const script = 'for base in $(seq 0 1000 19000); do seq $((base + 1)) $((base + 1000)); sleep 0.15; done'
  const id = await finished(script, '--log-opt', 'max-size=20k', '--log-opt', 'max-file=2')
  const lines = (await daemon.ok(['logs', id])).split('\n')
  assert.equal(lines.at(-1), '20000')
  assert.ok(lines.length < 20_000, `${lines.length} lines`)
  const first = Number(lines[0])
  assert.deepEqual(
    lines,
    Array.from({ length: 20_000 - first + 1 }, (_, i) => String(first + i)),
  )
  await daemon.ok(['rm', id])
})
