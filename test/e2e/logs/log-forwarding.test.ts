/** Delivery of logs while the server stops and starts and the daemon crashes: what arrives, and what is kept. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { freePort } from '../../helpers/ports.ts'
import { FluentdServer } from '../../helpers/services/log-servers.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function run(options: readonly string[], script: string): Promise<string> {
  const flags = options.flatMap((option) => ['--log-opt', option])
  return daemon.ok([
    'run',
    '-d',
    '--network',
    'none',
    '--log-driver',
    'fluentd',
    ...flags,
    'busybox',
    'sh',
    '-c',
    script,
  ])
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1))
}

test('a crash of the daemon loses no line, and repeats none that was confirmed', async () => {
  await using server = await FluentdServer.start()
  const options = [`fluentd-address=127.0.0.1:${server.port}`, 'fluentd-request-ack=true']
  const id = await run(options, 'for i in $(seq 1 200); do echo $i; sleep 0.01; done')
  await until(() => server.lines(id).length > 20)
  await daemon.kill9()
  const before = server.lines(id).length
  // The container continues and ends without a daemon.
  const log = join(daemon.dataRoot, 'containers', id, 'container.log')
  assert.ok(existsSync(log))
  await daemon.start()
  await until(() => server.lines(id).includes('200'), { what: () => `line 200; there are ${server.lines(id).length}` })
  const lines = server.lines(id)
  assert.deepEqual([...new Set(lines)], numbers(200))
  // One batch may have arrived without its acknowledgment.
  assert.ok(lines.length - 200 <= before, `${lines.length} lines, ${before} before the kill`)
  await daemon.ok(['rm', '-f', id])
})

test('lines of a container that ended without a daemon are delivered by the next one, once', async () => {
  await using server = await FluentdServer.start()
  const id = await run(
    [`fluentd-address=127.0.0.1:${server.port}`],
    'echo begin; while [ ! -e /go ]; do sleep 0.02; done; echo end',
  )
  await until(() => server.lines(id).length === 1)
  await daemon.stop()
  const pid = await containerPid(id)
  writeFileSync(join(daemon.execRoot, 'c', id, 'rootfs/go'), '')
  await until(() => !existsSync(`/proc/${pid}`), { what: 'the container to end' })
  await daemon.start()
  await until(() => server.lines(id).length === 2)
  await daemon.restart()
  const other = await run([`fluentd-address=127.0.0.1:${server.port}`], 'echo other')
  await until(() => server.lines(other).length === 1)
  assert.deepEqual(server.lines(id), ['begin', 'end'])
  await daemon.ok(['rm', '-f', id, other])
})

async function containerPid(id: string): Promise<string> {
  const [path = ''] = globSync(join(daemon.execRoot, 'c', id, 'pid'))
  return path === '' ? '0' : readFileSync(path, 'utf8').trim()
}

test('async: the container starts without a server, which gets everything once it is up', async () => {
  const port = await freePort()
  const options = [`fluentd-address=127.0.0.1:${port}`, 'fluentd-async=true', 'fluentd-retry-wait=50ms']
  const id = await run(options, 'seq 1 1000')
  await daemon.ok(['wait', id])
  assert.equal((await daemon.ok(['logs', id])).split('\n').length, 1000)
  await using server = await FluentdServer.start(port)
  await until(() => server.lines(id).length >= 1000)
  assert.deepEqual(server.lines(id), numbers(1000))
  await daemon.ok(['rm', id])
})

test('a server that comes back gets every line; the container does not wait for it', async () => {
  const port = await freePort()
  const options = [`fluentd-address=127.0.0.1:${port}`, 'fluentd-request-ack=true', 'fluentd-retry-wait=50ms']
  const first = await FluentdServer.start(port)
  const id = await run(options, 'for i in $(seq 1 100); do echo $i; sleep 0.01; done')
  await until(() => first.lines(id).length > 10)
  await first.close()
  await daemon.ok(['wait', id])
  await using second = await FluentdServer.start(port)
  await until(() => second.lines(id).includes('100'))
  assert.deepEqual([...new Set([...first.lines(id), ...second.lines(id)])], numbers(100))
  await daemon.ok(['rm', id])
})

test('lines of a container with --rm are delivered', async () => {
  await using server = await FluentdServer.start()
  const flags = [
    '--rm',
    '--network',
    'none',
    '--log-driver',
    'fluentd',
    '--log-opt',
    `fluentd-address=127.0.0.1:${server.port}`,
  ]
  await daemon.ok(['run', ...flags, 'busybox', 'sh', '-c', 'seq 1 5000; printf end'])
  await until(() => server.events.length >= 5001)
  assert.equal(server.events.at(-1)?.record.log, 'end')
})

/** Accepts connections and reads nothing. */
class DeafServer implements AsyncDisposable {
  readonly #connections: Socket[] = []
  readonly #server = createServer({ pauseOnConnect: true }, (socket) => {
    socket.on('error', () => {})
    this.#connections.push(socket)
  })
  received = ''

  async listen(): Promise<number> {
    const port = await freePort()
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    return port
  }

  hear(): void {
    for (const socket of this.#connections) {
      socket.setEncoding('latin1').on('data', (text: string) => {
        this.received += text
      })
      socket.resume()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#connections) socket.destroy()
    this.#server.close()
  }
}

test('non-blocking drops lines that exceed the buffer; blocking keeps them; neither delays the container', async () => {
  for (const [mode, isWhole] of [
    [['mode=blocking'], true],
    [['mode=non-blocking', 'max-buffer-size=64k'], false],
  ] as const) {
    await using server = new DeafServer()
    const port = await server.listen()
    const flags = ['--log-driver', 'syslog', ...mode.flatMap((option) => ['--log-opt', option])]
    const address = ['--log-opt', `syslog-address=tcp://127.0.0.1:${port}`]
    // Far more than the kernel buffers for a connection.
    const script =
      'x=$(head -c 16000 /dev/zero | tr "\\0" x); i=0; while [ $i -lt 1500 ]; do i=$((i+1)); echo $i; echo $x; done'
    const id = await daemon.ok(['run', '-d', '--network', 'none', ...flags, ...address, 'busybox', 'sh', '-c', script])
    await daemon.ok(['wait', id])
    server.hear()
    await until(() => server.received.includes(']: 1500\n') || (!isWhole && server.received.length > 200_000), {
      timeoutMs: 30_000,
    })
    const seen = server.received.match(/\]: \d+\n/g)?.length ?? 0
    if (isWhole) assert.equal(seen, 1500)
    else assert.ok(seen < 1500, `${seen} lines`)
    assert.equal((await daemon.ok(['logs', '--tail', '2', id])).split('\n')[0], '1500')
    await daemon.ok(['rm', id])
  }
})

test('local logs: compressed files can be read; --details shows attributes', async () => {
  const flags = ['--log-opt', 'max-size=20k', '--log-opt', 'max-file=4', '--log-opt', 'compress=true']
  const script = 'for i in 1 2 3 4; do seq $((i * 10000)) $((i * 10000 + 5000)); sleep 0.8; done; sleep 600'
  const id = await daemon.ok(['run', '-d', '--network', 'none', ...flags, 'busybox', 'sh', '-c', script])
  const home = join(daemon.dataRoot, 'containers', id)
  await until(async () => (await daemon.ok(['logs', '--tail', '1', id])) === '45000', { timeoutMs: 20_000 })
  await until(() => existsSync(join(home, 'container.log.2.gz')) && !existsSync(join(home, 'container.log.2')))
  const lines = (await daemon.ok(['logs', id])).split('\n')
  const all = [1, 2, 3, 4].flatMap((i) => Array.from({ length: 5001 }, (_, n) => String(i * 10_000 + n)))
  assert.deepEqual(lines, all.slice(-lines.length))
  assert.ok(lines.length > 10_000, `${lines.length} lines`)
  await daemon.ok(['rm', '-f', id])

  const attributes = ['--label', 'k.1=v/ü', '--label', 'z=2', '-e', 'X=a b,c=d', '--log-opt', 'labels=z,k.1']
  const tag = ['--log-opt', 'env-regex=^X', '--log-opt', 'tag={{.Name}}', '--name', 'detailed']
  await daemon.ok(['run', '--network', 'none', ...attributes, ...tag, 'busybox', 'echo', 'hi'])
  const expected = 'X=a+b%2Cc%3Dd,k.1=v%2F%C3%BC,tag=detailed,z=2 hi'
  assert.equal(await daemon.ok(['logs', '--details', 'detailed']), expected)
  assert.match(await daemon.ok(['logs', '-t', '--details', 'detailed']), /^\S+Z X=a\+b%2Cc%3Dd,.* hi$/)
  await daemon.ok(['rm', 'detailed'])
})
