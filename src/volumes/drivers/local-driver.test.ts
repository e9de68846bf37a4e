import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Background, nullLogger } from '../../base/index.ts'
import { LocalDriver } from './local-driver.ts'

/** Keeps work until a test runs it. */
class HeldBackground extends Background {
  readonly held: (() => Promise<unknown>)[] = []

  override run(_name: string, work: () => Promise<unknown>): void {
    this.held.push(work)
  }
}

/** A volume with a file in it. */
async function volume(t: TestContext) {
  const root = mkdtempSync('/tmp/b-ld-')
  t.after(() => rmSync(root, { recursive: true }))
  const background = new HeldBackground(nullLogger)
  const driver = new LocalDriver(root, background)
  await driver.create('data', {})
  const content = join(root, 'data', '_data')
  writeFileSync(join(content, 'file'), '')
  return { root, driver, content, background, gone: () => readdirSync(root).filter((name) => name !== 'data') }
}

test('LocalDriver.empty() moves the content away and deletes it in the background', async (t) => {
  const { root, driver, content, background, gone } = await volume(t)
  await driver.empty('data')
  assert.deepEqual(readdirSync(content), [])
  const [directory = '', ...others] = gone()
  assert.deepEqual(others, [])
  assert.deepEqual(readdirSync(join(root, directory)), ['file'])
  for (const work of background.held) await work()
  assert.deepEqual(gone(), [])
})

test('LocalDriver.empty() waits for the deletion of what counts against the size of a volume', async (t) => {
  const { root, driver, content, gone } = await volume(t)
  writeFileSync(join(root, 'data', 'opts.json'), JSON.stringify({ Size: '1m' }))
  await driver.empty('data')
  assert.deepEqual(readdirSync(content), [])
  assert.deepEqual(gone(), [])
})

test('LocalDriver.sweep() deletes in the background what a killed daemon was deleting', async (t) => {
  const { root, driver, background, gone } = await volume(t)
  await driver.empty('data')
  const next = new LocalDriver(root, background)
  background.held.length = 0
  await next.sweep()
  for (const work of background.held) await work()
  assert.deepEqual(gone(), [])
})
