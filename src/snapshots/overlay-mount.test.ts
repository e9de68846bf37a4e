import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyName, overlayMount } from './overlay-mount.ts'

const parts = { root: '/r', lower: [2, 1], upper: 3, readOnly: false, volatile: false }
const label = 'system_u:object_r:container_file_t:s0:c1,c2'

test('overlayMount() quotes a label, because its level has a comma', () => {
  const { type, options } = overlayMount({ ...parts, label })
  assert.equal(type, 'overlay')
  assert.ok(options.includes(`context="${label}"`))
  assert.ok(!overlayMount(parts).options.some((option) => option.startsWith('context=')))
})

test('overlayMount() binds a single layer, and stacks a labeled one on an empty layer', () => {
  for (const [single, lower] of [
    [{ ...parts, lower: [] }, emptyName],
    [{ ...parts, lower: [2], upper: undefined }, `2/fs:${emptyName}`],
  ] as const) {
    assert.equal(overlayMount(single).type, 'bind')
    const labeled = overlayMount({ ...single, label })
    assert.equal(labeled.type, 'overlay')
    assert.ok(labeled.options.includes(`lowerdir=${lower}`), labeled.options.join())
  }
})
