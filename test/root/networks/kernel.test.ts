/** What the kernel lacks for networks, tried on the real kernel. */
import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { test } from 'node:test'
import { missingFeatures } from '../../../src/network/index.ts'
import { RouteSocket, systemError } from '../../../src/sys/index.ts'
import { skip } from './namespaces.ts'

const ownNamespace = () => readlinkSync('/proc/thread-self/ns/net')

test('missingFeatures() finds nothing missing, and changes nothing on the host', { skip }, () => {
  const host = RouteSocket.open()
  const before = [ownNamespace(), host.links().map(({ name }) => name)]
  assert.deepEqual(missingFeatures(), [])
  assert.deepEqual([ownNamespace(), host.links().map(({ name }) => name)], before)
  host.close()
})

test('missingFeatures() tells the feature, the kernel and its error until the feature works', { skip }, () => {
  const home = ownNamespace()
  const tried: string[] = []
  let allowed = false
  const probes = {
    'colored packets': () => {
      tried.push(ownNamespace())
      if (!allowed) throw systemError(1, 'netlink', 'color packets')
    },
  }
  const [missing, ...others] = missingFeatures(probes)
  assert.deepEqual(others, [])
  assert.equal(missing?.feature, 'colored packets')
  assert.match(missing.reason, new RegExp(`^Linux ${release().replaceAll('.', '\\.')}: EPERM: .*color packets`))
  allowed = true
  assert.deepEqual(missingFeatures(probes), [])
  assert.deepEqual(missingFeatures(probes), [])
  assert.equal(tried.length, 2)
  assert.ok(!tried.includes(home))
})
