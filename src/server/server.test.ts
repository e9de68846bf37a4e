import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BerthError, conflict, type ErrorKind, type Logger, nullLogger } from '../base/index.ts'
import { statusOf } from './answers/errors.ts'
import { startTestApi } from './testing/fake-backends.ts'

test('createServer() puts the common headers on every answer', async () => {
  await using api = await startTestApi({})
  for (const path of ['/_ping', '/nowhere', '/v1.23/_ping']) {
    const { headers } = await api.request('GET', path)
    assert.equal(headers['api-version'], '1.51', path)
    assert.equal(headers['docker-experimental'], 'false', path)
    assert.equal(headers.ostype, 'linux', path)
    assert.equal(headers.server, 'Berth/1.2.3 (linux)', path)
  }
})

test("createServer() refuses API versions out of range with Docker's texts", async () => {
  await using api = await startTestApi({})
  for (const path of ['/_ping', '/v1.24/_ping', '/v1.51/_ping', '/v1.41/_ping?x=1', '/v1.51/_ping/']) {
    assert.equal((await api.request('GET', path)).status, 200, path)
  }
  const old = await api.request('GET', '/v1.23/_ping')
  assert.equal(old.status, 400)
  assert.deepEqual(old.json(), {
    message:
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  })
  const young = await api.request('GET', '/v1.99/_ping')
  assert.equal(young.status, 400)
  assert.deepEqual(young.json(), {
    message: 'client version 1.99 is too new. Maximum supported API version is 1.51',
  })
})

test('createServer() answers 404 for unknown paths and wrong methods', async () => {
  await using api = await startTestApi({})
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/v1.51/nothing'],
    ['GET', '/v9/_ping'],
    ['POST', '/_ping'],
    ['DELETE', '/info'],
    ['GET', '/containers/x/start'],
  ] as const) {
    const answer = await api.request(method, path)
    // Paths that do not exist are answered with 404 in any version.
    if (path.startsWith('/v9')) assert.equal(answer.status, 400)
    else assert.deepEqual([answer.status, answer.body], [404, '{"message":"page not found"}\n'], path)
  }
})

test('statusOf() has a status for every kind of error', () => {
  const expected: Readonly<Record<ErrorKind, number>> = {
    invalidArgument: 400,
    unauthorized: 401,
    forbidden: 403,
    notFound: 404,
    conflict: 409,
    alreadyExists: 409,
    notModified: 304,
    notImplemented: 501,
    unavailable: 503,
    noSpace: 507,
    cancelled: 500,
    dataLoss: 500,
    internal: 500,
  }
  for (const [kind, status] of Object.entries(expected)) assert.equal(statusOf(kind as ErrorKind), status)
})

test('an error is answered once with its message, and an unknown error is logged with its stack', async () => {
  const logged: unknown[] = []
  const logger: Logger = { ...nullLogger, error: (message, fields) => logged.push([message, fields?.error]) }
  let failure: unknown
  await using api = await startTestApi({ containers: { start: () => Promise.reject(failure) } }, logger)
  failure = conflict('busy')
  const busy = await api.request('POST', '/containers/x/start')
  assert.deepEqual([busy.status, busy.body, logged.length], [409, '{"message":"busy"}\n', 0])
  failure = new BerthError('notModified', 'runs already')
  const same = await api.request('POST', '/containers/x/start')
  assert.deepEqual([same.status, same.body], [304, ''])
  failure = new TypeError('oops')
  const unknown = await api.request('POST', '/containers/x/start')
  assert.deepEqual([unknown.status, unknown.body], [500, '{"message":"oops"}\n'])
  assert.deepEqual(logged, [['request failed', 'oops']])
})

test('a request is aborted when its client leaves', async () => {
  const aborted = Promise.withResolvers<void>()
  const started = Promise.withResolvers<void>()
  await using api = await startTestApi({
    containers: {
      wait: (_id, _condition, { signal } = {}) => {
        signal?.addEventListener('abort', () => aborted.resolve())
        started.resolve()
        return new Promise(() => {})
      },
    },
  })
  const { request } = await import('node:http')
  const leaving = request({ socketPath: api.socketPath, path: '/containers/x/wait', method: 'POST' }).end()
  leaving.on('error', () => {})
  await started.promise
  leaving.destroy()
  await aborted.promise
})
