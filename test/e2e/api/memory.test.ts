/** Memory of the daemon does not grow with the number of clients that came and went. The tests count objects by
 *  class, not bytes. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { TestDaemon } from '../../helpers/daemons/daemon.ts'
import { grown, type Holdings, holdingsOf, withDebugger } from '../../helpers/daemons/heap.ts'
import { until } from '../../helpers/wait.ts'

const clients = 40
let daemon: TestDaemon

before(async () => {
  daemon = await TestDaemon.start(withDebugger)
  await daemon.loadBusybox()
  await daemon.ok(['run', '-d', '--name', 'quiet', '--network', 'none', 'busybox', 'sleep', '10000'])
  await daemon.ok([
    'run',
    '-d',
    '--name',
    'loud',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'yes | head -1000; sleep 10000',
  ])
  await daemon.ok(['create', '-i', '--name', 'made', '--network', 'none', 'busybox', 'cat'])
})
after(() => daemon?.[Symbol.asyncDispose]())

/** Does the work some times to fill caches, counts, does it again, and counts until the work behind the answers has
 *  ended as well. Names in `kept` are known to stay. */
async function leavesNothing(work: () => Promise<unknown>, kept: ReadonlySet<string> = new Set()): Promise<void> {
  const many = async (count: number) => {
    for (let done = 0; done < count; done++) await work()
  }
  await many(clients / 2)
  const start = await holdingsOf(daemon)
  await many(clients)
  let end: Holdings = start
  const more = () => grown(start, end, clients / 2).filter((line) => !kept.has(line.replace(/: \d+ more$/, '')))
  await until(
    async () => {
      end = await holdingsOf(daemon)
      return more().length === 0 && end.descriptors <= start.descriptors + 2
    },
    { what: () => `the daemon to let go: ${more().join(', ')}; ${start.descriptors} → ${end.descriptors} descriptors` },
  )
  // Workers of the pool, which start when they are first needed.
  assert.ok(end.threads <= start.threads + 4, `${start.threads} → ${end.threads} threads`)
}

/** Sends a request and disconnects as soon as part of the answer has arrived. */
async function leave(method: string, path: string, headers: readonly string[] = []): Promise<void> {
  const socket = connect(daemon.socket)
  const lines = [`${method} /v1.45${path} HTTP/1.1`, 'Host: d', ...headers, '', '']
  socket.write(lines.join('\r\n'))
  await new Promise((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
    socket.once('close', reject)
  })
  socket.destroy()
}

/** The latest events are kept, as plain objects. */
const events = new Set(['Object'])
const upgrade = ['Connection: Upgrade', 'Upgrade: tcp']

for (const [name, method, path, headers] of [
  ['attach to a container that was not started', 'POST', '/containers/made/attach?stream=1&stdout=1', upgrade],
  [
    'attach with stdin to a container that was not started',
    'POST',
    '/containers/made/attach?stream=1&stdin=1&stdout=1',
    upgrade,
  ],
  ['attach to a silent container', 'POST', '/containers/quiet/attach?stream=1&stdout=1', upgrade],
  ['follow a log', 'GET', '/containers/loud/logs?follow=1&stdout=1', []],
  ['wait for an exit', 'POST', '/containers/quiet/wait', []],
  ['wait for a removal', 'POST', '/containers/quiet/wait?condition=removed', []],
  ['watch figures', 'GET', '/containers/quiet/stats', []],
  ['follow events', 'GET', '/events?since=1', []],
] as const) {
  test(`clients that ${name} and leave use no memory afterwards`, () =>
    leavesNothing(() => leave(method, path, headers), events))
}

test('containers that ran use no memory afterwards', () =>
  leavesNothing(async () => {
    const body = { Image: 'busybox', Cmd: ['true'], HostConfig: { NetworkMode: 'none' } }
    const { Id } = (await daemon.api<{ Id: string }>('POST', '/containers/create', body)).body
    await daemon.api('POST', `/containers/${Id}/start`)
    await daemon.api('POST', `/containers/${Id}/wait`)
    assert.equal((await daemon.api('DELETE', `/containers/${Id}`)).status, 204)
  }, events))

test('execs keep only what inspect needs afterwards', () =>
  leavesNothing(
    async () => {
      const body = { Cmd: ['true'], AttachStdout: true }
      const { Id } = (await daemon.api<{ Id: string }>('POST', '/containers/quiet/exec', body)).body
      assert.equal((await daemon.api('POST', `/exec/${Id}/start`, {})).status, 200)
      assert.equal((await daemon.api<{ ExitCode: number }>('GET', `/exec/${Id}/json`)).body.ExitCode, 0)
    },
    // The exec and its configuration, and the timer that drops both.
    new Set(['ExecProcess', 'Object', 'Array', 'Promise', 'Timeout', 'system / Context', '()']),
  ))
