import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SquashPlan } from './squash-plan.ts'

/** `d/` is a directory, `a=b` a hard link to b, anything else a file. */
function planOf(...layers: readonly (readonly string[])[]): SquashPlan {
  const plan = new SquashPlan()
  for (const [layer, paths] of layers.entries()) {
    for (const text of paths) {
      const [path = '', linkPath = ''] = text.split('=')
      const type = text.endsWith('/') ? 'directory' : linkPath === '' ? 'file' : 'link'
      plan.add(layer, { path, linkPath, type })
    }
  }
  return plan
}

const left = (plan: SquashPlan, layers: number, ...paths: readonly string[]) =>
  paths.map((path) => Array.from({ length: layers }, (_, layer) => layer).find((layer) => plan.isLeft(layer, path)))

test('SquashPlan keeps the last entry of each path', () => {
  const plan = planOf(['a', 'd/', 'd/x'], ['a', 'd/', 'd/y'])
  assert.deepEqual(left(plan, 2, 'a', 'd', 'd/x', 'd/y'), [1, 1, 0, 1])
  assert.deepEqual(plan.marks(), [])
})

test('SquashPlan drops deleted entries, and hides them in the layers below', () => {
  const plan = planOf(['a', 'd/', 'd/x', 'd/e/', 'd/e/y'], ['.wh.a', 'd/', 'd/.wh.e', '.wh.of-the-base'])
  assert.deepEqual(left(plan, 2, 'a', 'd', 'd/x', 'd/e', 'd/e/y'), [undefined, 1, 0, undefined, undefined])
  assert.deepEqual(plan.marks(), ['.wh.a', '.wh.of-the-base', 'd/.wh.e'])
})

test('SquashPlan hides the old contents of a directory that was deleted and created again', () => {
  const plan = planOf(['.wh.d'], ['d/', 'd/new'])
  assert.deepEqual([left(plan, 2, 'd', 'd/new'), plan.marks()], [[1, 1], ['d/.wh..wh..opq']])
  const opaque = planOf(['d/', 'd/old', 'd/.wh.gone'], ['d/', 'd/.wh..wh..opq', 'd/new'])
  assert.deepEqual([left(opaque, 2, 'd/old', 'd/new'), opaque.marks()], [[undefined, 1], ['d/.wh..wh..opq']])
})

test('SquashPlan handles a file that replaces a directory, and the reverse', () => {
  const plan = planOf(['d/', 'd/x', 'f'], ['d', 'f/', 'f/y'])
  assert.deepEqual(left(plan, 2, 'd', 'd/x', 'f', 'f/y'), [1, undefined, 1, 1])
})

test('SquashPlan finds hard links whose target was replaced', () => {
  const plan = planOf(['t', 'l=t', 'm=t'], ['t'])
  assert.deepEqual(plan.orphansOf(0, 't'), ['l', 'm'])
  assert.deepEqual(planOf(['t', 'l=t'], ['l']).orphansOf(0, 't'), [])
})
