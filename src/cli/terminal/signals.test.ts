import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { watchSize } from './signals.ts'

test('watchSize() sends one size at a time, and the latest one last', async () => {
  let size = 1
  const sent: number[] = []
  const answers: PromiseWithResolvers<void>[] = []
  const stop = watchSize(() => {
    sent.push(size)
    const answer = Promise.withResolvers<void>()
    answers.push(answer)
    return answer.promise
  })
  await turn()
  for (size = 2; size < 4; size += 1) process.emit('SIGWINCH')
  await turn()
  assert.deepEqual(sent, [1])
  answers[0]?.reject(new Error('the process is gone'))
  await turn()
  assert.deepEqual(sent, [1, 4])
  process.emit('SIGWINCH')
  stop()
  answers[1]?.resolve()
  await turn()
  process.emit('SIGWINCH')
  await turn()
  assert.deepEqual(sent, [1, 4])
})
