import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWarnings } from './warnings.ts'

test('createWarnings() tells of ports on the host network and of an OOM killer that is off without a limit', () => {
  assert.deepEqual(createWarnings({}), [])
  assert.deepEqual(createWarnings({ OomKillDisable: true, Memory: 1 }), [])
  assert.equal(createWarnings({ NetworkMode: 'host', PortBindings: { '80/tcp': [] } }).length, 1)
  assert.match(createWarnings({ OomKillDisable: true })[0] ?? '', /no memory limit is set/)
})
