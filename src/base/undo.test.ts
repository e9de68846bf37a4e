import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BerthError, conflict } from './errors.ts'
import { type LogFields, type Logger, nullLogger } from './logger.ts'
import { cleanUpAfter, undoOnFailure } from './undo.ts'

/** A logger that keeps the fields of its error lines. */
function recordingLogger(): { readonly logger: Logger; readonly errors: LogFields[] } {
  const errors: LogFields[] = []
  return { logger: { ...nullLogger, error: (_message, fields = {}) => errors.push(fields) }, errors }
}

test('undoOnFailure() runs the actions in reverse order when the work fails, and throws its error', async () => {
  const done: string[] = []
  const failure = conflict('name in use')
  await assert.rejects(
    undoOnFailure(nullLogger, async (undo) => {
      undo.add(() => done.push('first'))
      undo.add(async () => done.push('second'))
      throw failure
    }),
    (error) => error === failure && !('undoFailures' in failure),
  )
  assert.deepEqual(done, ['second', 'first'])
})

test('undoOnFailure() runs no action when the work succeeds', async () => {
  const done: string[] = []
  const result = await undoOnFailure(nullLogger, async (undo) => {
    undo.add(() => done.push('undone'))
    return 42
  })
  assert.deepEqual([result, done], [42, []])
})

test('undoOnFailure() throws the error of the work when actions fail, logs their failures and attaches them', async () => {
  const { logger, errors } = recordingLogger()
  const [busy, gone] = [new Error('device busy'), new Error('no such file')]
  const done: string[] = []
  const failure = conflict('name in use')
  await assert.rejects(
    undoOnFailure(logger, async (undo) => {
      undo.add(() => Promise.reject(gone))
      undo.add(() => done.push('undone'))
      undo.add(() => {
        throw busy
      })
      throw failure
    }),
    (error) => error instanceof BerthError && error.kind === 'conflict' && error === failure,
  )
  assert.deepEqual(done, ['undone'])
  assert.deepEqual(errors, [
    { error: busy, after: 'name in use' },
    { error: gone, after: 'name in use' },
  ])
  assert.deepEqual((failure as { undoFailures?: unknown }).undoFailures, [busy, gone])
})

test('a nested undoOnFailure() adds to the failures that are attached already', async () => {
  const failure = new Error('outer')
  await assert.rejects(
    undoOnFailure(nullLogger, async (outer) => {
      outer.add(() => Promise.reject(new Error('b')))
      await undoOnFailure(nullLogger, async (inner) => {
        inner.add(() => Promise.reject(new Error('a')))
        throw failure
      })
    }),
    failure,
  )
  const { undoFailures = [] } = failure as { undoFailures?: readonly Error[] }
  assert.deepEqual(
    undoFailures.map(({ message }) => message),
    ['a', 'b'],
  )
})

test('undoOnFailure() throws the error of the work even if nothing can be attached to it', async () => {
  for (const thrown of ['text', undefined, Object.freeze(new Error('frozen'))]) {
    const failing = undoOnFailure(nullLogger, async (undo) => {
      undo.add(() => Promise.reject(new Error('busy')))
      throw thrown
    })
    assert.equal(await failing.catch((error: unknown) => error), thrown)
  }
})

test('cleanUpAfter() runs the actions whether the work succeeds or fails', async () => {
  const done: string[] = []
  const run = (work: () => Promise<string>) =>
    cleanUpAfter(nullLogger, async (cleanUp) => {
      cleanUp.add(() => done.push('cleaned'))
      return await work()
    })
  assert.equal(await run(async () => 'result'), 'result')
  await assert.rejects(
    run(() => Promise.reject(new Error('broken'))),
    /^Error: broken$/,
  )
  assert.deepEqual(done, ['cleaned', 'cleaned'])
})

test('cleanUpAfter() throws the failures of the clean-up only when the work succeeded', async () => {
  const { logger, errors } = recordingLogger()
  const run = (work: () => Promise<void>) =>
    cleanUpAfter(logger, async (cleanUp) => {
      cleanUp.add(() => Promise.reject(new Error('busy')))
      await work()
    })
  await assert.rejects(
    run(async () => {}),
    /clean-up failed: busy/,
  )
  assert.deepEqual(errors, [])
  await assert.rejects(
    run(() => Promise.reject(new Error('broken'))),
    /^Error: broken$/,
  )
  assert.equal(errors.length, 1)
})
