import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createWarnings } from './warnings.ts'

test('createWarnings() warns about ports on the host network and an OOM killer disabled without a limit', () => {
  assert.deepEqual(createWarnings({}), [])
  assert.deepEqual(createWarnings({ OomKillDisable: true, Memory: 1 }), [])
  assert.equal(createWarnings({ NetworkMode: 'host', PortBindings: { '80/tcp': [] } }).length, 1)
  assert.match(createWarnings({ OomKillDisable: true })[0] ?? '', /no memory limit is set/)
})
