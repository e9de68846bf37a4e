import assert from 'node:assert/strict'
import { test } from 'node:test'
import { childrenFirst } from './children-first.ts'

test('childrenFirst() puts children before their parents, whatever their ages are', () => {
  const items = [
    { key: 'top', parent: 'middle' },
    { key: 'other', parent: 'base' },
    { key: 'base', parent: undefined },
    { key: 'middle', parent: 'base' },
    { key: 'stray', parent: 'gone' },
  ]
  const order = childrenFirst(items)
  assert.deepEqual([...order].sort(), ['base', 'middle', 'other', 'stray', 'top'])
  for (const { key, parent } of items) {
    if (parent !== undefined && order.includes(parent)) assert.ok(order.indexOf(key) < order.indexOf(parent), key)
  }
})

test('childrenFirst() ends when parents form a circle', () => {
  const circle = [
    { key: 'a', parent: 'b' },
    { key: 'b', parent: 'a' },
  ]
  assert.equal(childrenFirst(circle).length, 2)
})
