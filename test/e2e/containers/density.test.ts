/** 200 idle containers at the same time. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { get } from 'node:http'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { mountsBelow, TestDaemon } from '../../helpers/daemons/daemon.ts'
import { until } from '../../helpers/wait.ts'

let daemon: TestDaemon
const total = 200

before(async () => {
  daemon = await TestDaemon.start()
  await daemon.loadBusybox()
})
after(() => daemon?.[Symbol.asyncDispose]())

function processesOf(needle: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(needle)
      } catch {
        return false // the process ended meanwhile
      }
    })
    .map(Number)
    .filter((pid) => pid !== daemon.pid)
}

/** Processor time that a process has used, in steps of 10 ms. Unlike elapsed time, it does not depend on other
 *  programs. */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [userTicks, systemTicks] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number)
  return ((userTicks ?? 0) + (systemTicks ?? 0)) * 10
}

/** Counts the samples of a container's `stats` as they arrive, one a second. */
function statsStream(id: string) {
  const stream = { samples: 0, close: () => void request.destroy() }
  const request = get({ socketPath: daemon.socket, path: `/containers/${id}/stats?stream=1` }, (response) => {
    response.setEncoding('utf8').on('data', (text: string) => {
      stream.samples += text.split('\n').length - 1
    })
    response.on('error', () => {}) // the stream is cut in the end
  })
  request.on('error', () => {})
  return stream
}

function bridgePorts(bridge: string): string[] {
  return readdirSync(`/sys/class/net/${bridge}/brif`)
}

test(`${total} containers start in one go, are listed in under 50 ms of the daemon's time, and are removed by one rm -f`, async (t) => {
  const ids = Array.from({ length: total }, () => '')
  const next = ids.keys()
  const started = Date.now()
  const worker = async () => {
    for (const index of next) {
      const made = await daemon.api<{ Id: string }>('POST', '/containers/create', {
        Image: 'busybox',
        Cmd: ['sleep', '100000'],
      })
      assert.equal(made.status, 201, made.text)
      ids[index] = made.body.Id
      const start = await daemon.api('POST', `/containers/${made.body.Id}/start`)
      assert.equal(start.status, 204, start.text)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  t.diagnostic(`started in ${Date.now() - started} ms`)
  const bridge = await daemon.bridgeInterface()
  assert.equal(bridgePorts(bridge).length, total)

  const rounds = 20
  const before = processorMs(daemon.pid)
  for (let round = 0; round < rounds; round++) {
    const { body } = await daemon.api<{ State: string }[]>('GET', '/containers/json')
    assert.equal(body.filter(({ State }) => State === 'running').length, total)
  }
  const listMs = (processorMs(daemon.pid) - before) / rounds
  t.diagnostic(`listed in ${listMs} ms of the daemon's time`)
  assert.ok(listMs < 50, `listed in ${listMs} ms`)

  const streamed = 100
  const watchedMs = 8_000
  const streams = ids.slice(0, streamed).map((id) => statsStream(id))
  await until(() => streams.every(({ samples }) => samples > 1), { what: 'the figures of all' })
  // The least of three, to leave out other work of the daemon, such as returning memory.
  let statsShare = 1
  for (let window = 0; window < 3 && statsShare >= 0.05; window += 1) {
    const beforeStats = processorMs(daemon.pid)
    await sleep(watchedMs)
    statsShare = (processorMs(daemon.pid) - beforeStats) / watchedMs
  }
  for (const stream of streams) stream.close()
  t.diagnostic(`figures of ${streamed} streamed for ${(100 * statsShare).toFixed(1)} % of a core`)
  assert.ok(statsShare < 0.05, `${100 * statsShare} % of a core`)

  const removing = Date.now()
  await daemon.ok(['rm', '-f', ...ids])
  t.diagnostic(`removed in ${Date.now() - removing} ms`)
  assert.equal(await daemon.ok(['ps', '-aq']), '')
  await until(() => bridgePorts(bridge).length === 0, { what: 'the interfaces to go' })
  await until(() => mountsBelow(daemon.root).length === 0, {
    what: () => `the mounts to go: ${mountsBelow(daemon.root)}`,
  })
  await until(() => processesOf(`${daemon.root}/`).length === 0, {
    what: () => `${processesOf(`${daemon.root}/`)} to end`,
  })
})
