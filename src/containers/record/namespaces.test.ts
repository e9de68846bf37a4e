import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerRecord } from './container-record.ts'
import { networkName, sharedNetworkTarget } from './namespaces.ts'

test('sharedNetworkTarget() gives the container whose network is shared', () => {
  assert.equal(sharedNetworkTarget('container:abc'), 'abc')
  assert.equal(sharedNetworkTarget('bridge'), undefined)
})

test('networkName() gives bridge for the default mode, and none for a container without a network', () => {
  const name = (mode: string | undefined, disabled = false) =>
    networkName({ config: { NetworkDisabled: disabled }, hostConfig: { NetworkMode: mode } } as ContainerRecord)
  assert.deepEqual([name(undefined), name(''), name('default'), name('mine')], ['bridge', 'bridge', 'bridge', 'mine'])
  assert.equal(name('mine', true), 'none')
})
