import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UploadSlots } from './upload-slots.ts'

/** Work that ends when `end` is called. */
function held(log: string[], name: string): { readonly work: () => Promise<string>; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const work = async () => {
    log.push(`start ${name}`)
    await promise
    return name
  }
  return { work, end: resolve }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('UploadSlots limits concurrent uploads, reports those that wait, and goes on after failures', async () => {
  const slots = new UploadSlots(2)
  const log: string[] = []
  const all = ['a', 'b', 'c', 'd'].map((name) => ({ name, ...held(log, name) }))
  const runs = all.map(({ name, work }) => slots.run(work, () => log.push(`wait ${name}`)))
  await turn()
  assert.deepEqual(log, ['start a', 'start b', 'wait c', 'wait d'])
  all[1]?.end()
  assert.equal(await runs[1], 'b')
  await turn()
  assert.equal(log.at(-1), 'start c')
  slots.resize(3)
  await turn()
  assert.equal(log.at(-1), 'start d')
  slots.resize(1)
  for (const one of all) one.end()
  assert.deepEqual(await Promise.all(runs), ['a', 'b', 'c', 'd'])
  await assert.rejects(
    slots.run(
      () => Promise.reject(new Error('no')),
      () => {},
    ),
    /no/,
  )
  assert.equal(
    await slots.run(
      async () => 'again',
      () => log.push('waited'),
    ),
    'again',
  )
  assert.notEqual(log.at(-1), 'waited')
})
