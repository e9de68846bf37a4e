import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capabilityInside, capabilityOnHost } from './file-capability.ts'

const mappings = { uids: [{ containerID: 0, hostID: 100_000, size: 65_536 }], gids: [] }

/** Effective cap_net_raw, as getxattr(2) returns it. */
const plain = Buffer.from([1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
const withRoot = (root: number) => {
  const value = Buffer.concat([plain, Buffer.alloc(4)])
  value[3] = 3
  value.writeUInt32LE(root, 20)
  return value
}

test('capabilityInside() and capabilityOnHost() translate the root user in both directions', () => {
  assert.deepEqual(capabilityOnHost(plain, mappings), withRoot(100_000))
  assert.deepEqual(capabilityInside(withRoot(100_000), mappings), plain)
  // A nested namespace.
  assert.deepEqual(capabilityInside(withRoot(165_534), mappings), withRoot(65_534))
  assert.deepEqual(capabilityOnHost(withRoot(65_534), mappings), withRoot(165_534))
})

test('capabilityInside() and capabilityOnHost() drop values that apply to no user, and keep unknown values', () => {
  assert.equal(capabilityInside(withRoot(5), mappings), undefined)
  assert.equal(capabilityOnHost(withRoot(70_000), mappings), undefined)
  for (const value of [Buffer.alloc(0), Buffer.from('x'), plain.subarray(0, 12)]) {
    assert.equal(capabilityInside(value, mappings), value)
    assert.equal(capabilityOnHost(value, mappings), value)
  }
  assert.equal(capabilityInside(plain, mappings), plain)
})
