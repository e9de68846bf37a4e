import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { turnsDuring } from '../../../test/helpers/turns.ts'
import { beginReplacement, commitReplacement, finishReplacement } from './replace-content.ts'

/** A directory with `old` files in it, and new content that is complete. */
async function replacement(t: TestContext, old: number) {
  const home = mkdtempSync('/tmp/b-rc-')
  t.after(() => rmSync(home, { recursive: true }))
  const [content, work] = [join(home, '_data'), join(home, '.replacing')]
  mkdirSync(content)
  for (let at = 0; at < old; at++) writeFileSync(join(content, `old-${at}`), '')
  const place = await beginReplacement(work)
  writeFileSync(join(place, 'file'), 'new')
  return { content, work }
}

test('commitReplacement() exchanges the content and lets other work go on meanwhile', async (t) => {
  const { content, work } = await replacement(t, 2000)
  assert.notEqual(await turnsDuring(() => commitReplacement(content, work)), 0)
  assert.deepEqual(readdirSync(content), ['file'])
  assert.deepEqual(readdirSync(work), ['old'], 'the caller deletes it')
  assert.equal(readdirSync(join(work, 'old')).length, 2000)
})

for (const state of ['ready', 'entering'] as const) {
  test(`finishReplacement() completes what a crash left ${state}`, async (t) => {
    const { content, work } = await replacement(t, 1)
    renameSync(join(work, 'new'), join(work, state))
    if (state === 'entering') rmSync(join(content, 'old-0'))
    assert.equal(await finishReplacement(content, work), true)
    assert.deepEqual(readdirSync(content), ['file'])
    assert.equal(readFileSync(join(content, 'file'), 'utf8'), 'new')
  })
}

test('finishReplacement() keeps the old content when the new one was incomplete', async (t) => {
  const { content, work } = await replacement(t, 1)
  assert.equal(await finishReplacement(content, work), false)
  assert.deepEqual(readdirSync(content), ['old-0'])
})

test('beginReplacement() removes what an earlier attempt left, and lets other work go on meanwhile', async (t) => {
  const { work } = await replacement(t, 0)
  assert.notEqual(await turnsDuring(() => beginReplacement(work)), 0)
  assert.deepEqual(readdirSync(join(work, 'new')), [])
})
