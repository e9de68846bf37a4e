import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { notFound, type OutputSink } from '../../base/index.ts'
import type { LogsOptions } from '../../contract/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

async function twoLines(sink: OutputSink): Promise<void> {
  sink.write('stdout', Buffer.from('out\n'))
  sink.write('stderr', Buffer.from('err\n'))
}

const framed = '\u0001\0\0\0\0\0\0\u0004out\n\u0002\0\0\0\0\0\0\u0004err\n'

for (const [version, tty, type, body] of [
  ['1.51', false, 'application/vnd.docker.multiplexed-stream', framed],
  ['1.41', false, 'application/vnd.docker.raw-stream', framed],
  ['1.51', true, 'application/vnd.docker.raw-stream', 'out\nerr\n'],
] as const) {
  test(`logs, API ${version}, ${tty ? 'with' : 'without'} a terminal`, async () => {
    await using api = await startTestApi({ containers: { logs: async () => ({ tty, run: twoLines }) } })
    const answer = await api.request('GET', `/v${version}/containers/x/logs?stdout=1&stderr=1`)
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.body], [200, type, body])
  })
}

test('logs passes its options to the engine', async () => {
  const seen: LogsOptions[] = []
  await using api = await startTestApi({
    containers: {
      logs: async (_id, options) => {
        seen.push(options)
        return { tty: false, run: twoLines }
      },
    },
  })
  await api.request('GET', '/containers/x/logs?stdout=1&tail=5&since=1700000000.5&until=0&timestamps=1&follow=true')
  await api.request('GET', '/containers/x/logs?stderr=1&tail=all&details=1')
  assert.deepEqual(seen[0], {
    stdout: true,
    stderr: false,
    follow: true,
    timestamps: true,
    details: false,
    tail: 5,
    sinceNs: 1_700_000_000_500_000_000n,
    untilNs: undefined,
  })
  assert.equal(seen[1]?.tail, 'all')
  const none = await api.request('GET', '/containers/x/logs')
  assert.deepEqual(
    [none.status, none.json()],
    [400, { message: 'Bad parameters: you must choose at least one stream' }],
  )
  const bad = await api.request('GET', '/containers/x/logs?stdout=1&since=x')
  assert.equal(bad.status, 400)
})

test('logs that fail midway end with the error', async () => {
  const run = async (sink: OutputSink) => {
    await twoLines(sink)
    await nextTurn()
    throw new Error('disk gone')
  }
  await using api = await startTestApi({ containers: { logs: async () => ({ tty: true, run }) } })
  assert.equal((await api.request('GET', '/containers/x/logs?stdout=1')).body, 'out\nerr\ndisk gone\r\n')
})

test('wait sends its headers before its result', async () => {
  const ended = Promise.withResolvers<{ StatusCode: number }>()
  await using api = await startTestApi({ containers: { wait: async () => ({ result: ended.promise }) } })
  const { request } = await import('node:http')
  const headers = Promise.withResolvers<number | undefined>()
  const body = Promise.withResolvers<string>()
  request({ socketPath: api.socketPath, path: '/containers/x/wait', method: 'POST' }, (response) => {
    headers.resolve(response.statusCode)
    let text = ''
    response.on('data', (chunk) => {
      text += String(chunk)
    })
    response.on('end', () => body.resolve(text))
  }).end()
  assert.equal(await headers.promise, 200)
  ended.resolve({ StatusCode: 7 })
  assert.deepEqual(JSON.parse(await body.promise), { StatusCode: 7 })
})

test('wait passes conditions, refuses unknown ones, and reports failures in its result', async () => {
  const conditions: string[] = []
  await using api = await startTestApi({
    containers: {
      wait: async (id, condition) => {
        if (id === 'none') throw notFound('No such container: none')
        conditions.push(condition)
        return { result: id === 'bad' ? Promise.reject(new Error('lost')) : Promise.resolve({ StatusCode: 0 }) }
      },
    },
  })
  for (const query of ['', '?condition=', '?condition=next-exit', '?condition=removed']) {
    assert.equal((await api.request('POST', `/containers/x/wait${query}`)).status, 200)
  }
  assert.deepEqual(conditions, ['not-running', 'not-running', 'next-exit', 'removed'])
  const foo = await api.request('POST', '/containers/x/wait?condition=foo')
  assert.deepEqual([foo.status, foo.json()], [400, { message: 'invalid condition: "foo"' }])
  assert.equal((await api.request('POST', '/containers/none/wait')).status, 404)
  assert.deepEqual((await api.request('POST', '/containers/bad/wait')).json(), {
    StatusCode: -1,
    Error: { Message: 'lost' },
  })
  assert.deepEqual((await api.request('POST', '/v1.29/containers/x/wait')).json(), { StatusCode: 0 })
})
