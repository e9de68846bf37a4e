import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LinkIndex } from './link-index.ts'

test('LinkIndex finds the containers that link to another one, and forgets replaced links', () => {
  const index = new LinkIndex()
  index.set('web', [
    { target: 'db', alias: 'store' },
    { target: 'cache', alias: 'fast' },
  ])
  index.set('job', [{ target: 'db', alias: 'db' }])
  assert.deepEqual(index.parentsOf('db'), [
    { parent: 'web', alias: 'store' },
    { parent: 'job', alias: 'db' },
  ])
  index.set('web', [{ target: 'cache', alias: 'quick' }])
  assert.deepEqual(index.parentsOf('db'), [{ parent: 'job', alias: 'db' }])
  assert.deepEqual(index.parentsOf('cache'), [{ parent: 'web', alias: 'quick' }])
  index.set('web', [])
  index.set('none', [])
  assert.deepEqual(index.parentsOf('cache'), [])
})
