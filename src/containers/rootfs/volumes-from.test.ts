import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '../../base/index.ts'
import type { ContainerIndex } from '../record/container-index.ts'
import type { ContainerMount } from '../record/container-record.ts'
import { inheritedMounts } from './volumes-from.ts'

const volume = { type: 'volume', name: 'v', source: '/v', destination: '/data', readOnly: false, mode: 'z' }
const donors: Readonly<Record<string, unknown>> = {
  one: {
    mounts: [
      { ...volume, anonymous: true },
      { type: 'tmpfs', destination: '/tmp' },
    ],
  },
  two: { mounts: [{ ...volume, name: 'w', readOnly: true }] },
}
const containers = {
  get(name: string) {
    if (donors[name] === undefined) throw notFound(`No such container: ${name}`)
    return donors[name]
  },
} as unknown as ContainerIndex

const namesOf = (mounts: readonly ContainerMount[]) => mounts.map(({ name, readOnly }) => [name, readOnly])

test('inheritedMounts() gives volumes but not tmpfs, and prefers the last container for a destination', () => {
  const [mount] = inheritedMounts(containers, ['one:ro,z'])
  assert.equal(mount?.anonymous, undefined)
  assert.partialDeepStrictEqual(mount, { name: 'v', readOnly: true, mode: '', relabel: 'z' })
  assert.deepEqual(namesOf(inheritedMounts(containers, ['one', 'two:rw'])), [['w', true]])
  assert.deepEqual(inheritedMounts(containers, []), [])
})

test('inheritedMounts() refuses unknown containers and modes', () => {
  assert.throws(() => inheritedMounts(containers, ['none']), /No such container: none/)
  assert.throws(() => inheritedMounts(containers, ['one:rx']), /invalid mode: rx/)
  assert.throws(() => inheritedMounts(containers, ['']), /cannot be an empty string/)
  assert.throws(() => inheritedMounts(containers, [':ro']), /invalid name or ID/)
})
