import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestApi } from '../testing/fake-backends.ts'

test('routes that Berth does not serve are answered with 501 and their name', async () => {
  await using api = await startTestApi({})
  for (const [method, path, what] of [
    ['POST', '/plugins/pull', 'plugin install'],
    ['POST', '/swarm/init', 'swarm'],
  ] as const) {
    const { status, body } = await api.request(method, path)
    assert.deepEqual([status, body], [501, `{"message":"${what} is not implemented in this version of Berth"}\n`], path)
  }
})

test('swarm routes are answered as by a daemon outside of a swarm', async () => {
  await using api = await startTestApi({})
  for (const path of [
    '/swarm',
    '/services',
    '/nodes/x',
    '/tasks',
    '/secrets',
    '/configs/c',
    '/v1.40/services?filters=x',
  ]) {
    const { status, body } = await api.request('GET', path)
    assert.equal(status, 503, path)
    assert.match(body, /^\{"message":"This node is not a swarm manager\. Use \\"docker swarm init\\"/)
  }
})

test('plugins are answered with 404, so that docker inspect tries other kinds of objects', async () => {
  await using api = await startTestApi({})
  const { status, body } = await api.request('GET', '/plugins/a/b:c/json')
  assert.deepEqual([status, body], [404, '{"message":"plugin \\"a/b:c\\" not found"}\n'])
})
