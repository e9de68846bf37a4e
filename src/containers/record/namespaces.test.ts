import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerRecord } from './container-record.ts'
import { networkName, networkOwner, sharedNetworkTarget } from './namespaces.ts'

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

test('networkOwner() follows shared networks, and refuses a circle', () => {
  const records: Readonly<Record<string, string>> = {
    a: 'bridge',
    b: 'container:a',
    c: 'container:b',
    d: 'container:d',
  }
  const find = (id: string) =>
    ({ id, config: {}, hostConfig: { NetworkMode: records[id] } }) as unknown as ContainerRecord
  const ownerOf = (id: string) => networkOwner(find(id), find).id
  assert.deepEqual([ownerOf('a'), ownerOf('b'), ownerOf('c')], ['a', 'a', 'a'])
  assert.throws(() => ownerOf('d'), /cannot join own network namespace/)
})
