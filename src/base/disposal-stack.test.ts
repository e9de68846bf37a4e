import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DisposalStack } from './disposal-stack.ts'
import { type LogFields, nullLogger } from './logger.ts'

function stackOf(limitMs = 60_000): { readonly stack: DisposalStack; readonly logged: LogFields[] } {
  const logged: LogFields[] = []
  const logger = { ...nullLogger, error: (_message: string, fields: LogFields = {}) => logged.push(fields) }
  return { stack: new DisposalStack({ logger, limitMs }), logged }
}

test('DisposalStack.dispose() closes the parts one after another, the last one first', async () => {
  const { stack, logged } = stackOf()
  const closed: string[] = []
  stack.add('database', () => closed.push('database'))
  stack.add('server', async () => {
    await Promise.resolve()
    closed.push('server')
  })
  assert.deepEqual(await stack.dispose(), [])
  assert.deepEqual(closed, ['server', 'database'])
  assert.deepEqual(logged, [])
})

test('DisposalStack.dispose() closes every part even if some fail, and reports the failures', async () => {
  const { stack, logged } = stackOf()
  const closed: string[] = []
  stack.add('locks', () => closed.push('locks'))
  const broken = new Error('disk is full')
  stack.add('database', () => {
    throw broken
  })
  stack.add('networks', () => closed.push('networks'))
  const refused = new Error('permission denied')
  stack.add('containers', () => Promise.reject(refused))
  const failures = await stack.dispose()
  assert.deepEqual(closed, ['networks', 'locks'])
  assert.deepEqual(failures.map(String), ['Error: containers: permission denied', 'Error: database: disk is full'])
  assert.deepEqual(logged, [
    { part: 'containers', error: refused },
    { part: 'database', error: broken },
  ])
})

test('DisposalStack.dispose() does not wait for a part longer than the limit', async () => {
  const { stack, logged } = stackOf(1)
  const closed: string[] = []
  stack.add('locks', () => closed.push('locks'))
  const { promise: stuck, reject } = Promise.withResolvers<void>()
  stack.add('containers', () => stuck)
  assert.deepEqual((await stack.dispose()).map(String), ['Error: containers: not done after 0.001 s'])
  assert.deepEqual(closed, ['locks'])
  assert.equal(logged.length, 1)
  // A failure after the limit must not become an unhandled rejection.
  reject(new Error('too late'))
})

test('DisposalStack.addUnlimited() makes dispose() wait without a limit', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { stack } = stackOf()
  const { promise, resolve } = Promise.withResolvers<void>()
  stack.addUnlimited('containers', () => promise)
  const disposal = stack.dispose()
  t.mock.timers.tick(600_000)
  resolve()
  assert.deepEqual(await disposal, [])
})

test('DisposalStack.dispose() closes each part only once', async () => {
  const { stack } = stackOf()
  let count = 0
  stack.add('database', () => {
    count += 1
    throw new Error('disk is full')
  })
  const [first, second] = await Promise.all([stack.dispose(), stack.dispose()])
  assert.equal(count, 1)
  assert.equal(first, second)
  assert.equal(await stack.dispose(), first)
})
