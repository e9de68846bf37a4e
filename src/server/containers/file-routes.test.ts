import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conflict, notFound } from '../../base/index.ts'
import type { CommitOptions } from '../../contract/index.ts'
import { startTestApi } from '../testing/fake-backends.ts'

test('POST /commit passes the options of the query and the body to the engine', async () => {
  const calls: (readonly [string, CommitOptions])[] = []
  await using api = await startTestApi({
    containers: {
      commit: async (id, options) => {
        calls.push([id, options])
        return 'sha256:1'
      },
    },
  })
  const query = 'container=c&repo=a/b&tag=1&comment=hi&author=me&changes=USER+x&changes=CMD+y&pause=0'
  const answer = await api.request('POST', `/v1.51/commit?${query}`, { json: { Cmd: ['z'] } })
  assert.deepEqual([answer.status, answer.json()], [201, { Id: 'sha256:1' }])
  await api.request('POST', '/v1.51/commit?container=c', { json: null })
  assert.deepEqual(calls, [
    [
      'c',
      {
        repository: 'a/b',
        tag: '1',
        comment: 'hi',
        author: 'me',
        pause: false,
        changes: ['USER x', 'CMD y'],
        config: { Cmd: ['z'] },
      },
    ],
    ['c', { repository: '', tag: '', comment: '', author: '', pause: true, changes: [], config: undefined }],
  ])
  assert.equal((await api.request('POST', '/v1.51/commit?container=c', { json: { Cmd: 1 } })).status, 400)
})

test('GET /containers/{id}/changes answers null when there are none', async () => {
  await using api = await startTestApi({
    containers: { changes: async (id) => (id === 'idle' ? [] : [{ Path: '/a', Kind: 1 }]) },
  })
  assert.equal((await api.request('GET', '/v1.51/containers/idle/changes')).body, 'null\n')
  assert.deepEqual((await api.request('GET', '/v1.51/containers/c/changes')).json(), [{ Path: '/a', Kind: 1 }])
})

test('GET /containers/{id}/export answers an early failure with a status and cuts the stream at a late one', async () => {
  await using api = await startTestApi({
    containers: {
      export: async (id) => {
        if (id === 'none') throw notFound('No such container: none')
        return (async function* () {
          yield Buffer.from('part')
          if (id === 'gone') throw conflict('removed')
        })()
      },
    },
  })
  const whole = await api.request('GET', '/v1.51/containers/c/export')
  assert.deepEqual([whole.status, whole.body], [200, 'part'])
  assert.equal(whole.headers['content-type'], 'application/octet-stream')
  assert.equal((await api.request('GET', '/v1.51/containers/none/export')).status, 404)
  await assert.rejects(api.request('GET', '/v1.51/containers/gone/export'))
})
