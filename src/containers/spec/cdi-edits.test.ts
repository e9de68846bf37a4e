import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OciSpec } from '../../oci/index.ts'
import { applyEdits } from './cdi-edits.ts'

const spec = {
  process: { env: ['A=1', 'B=1'], user: { uid: 7, gid: 8, additionalGids: [9] } },
  mounts: [{ destination: '/a', type: 'tmpfs', source: 'tmpfs', options: [] }],
  linux: { devices: [{ path: '/dev/x', type: 'c', major: 1, minor: 1 }], resources: { devices: [] } },
} as unknown as OciSpec

test('applyEdits() adds variables, groups and hooks; later edits replace earlier ones', () => {
  const hook = { hookName: 'createRuntime', path: '/bin/hook' }
  const edited = applyEdits(spec, [
    { env: ['B=2', 'C=2'], additionalGids: [9, 10], hooks: [hook] },
    { env: ['C=3'], hooks: [{ ...hook, args: ['hook', '-x'], timeout: 5 }] },
  ])
  assert.deepEqual(edited.process.env, ['A=1', 'B=2', 'C=3'])
  assert.deepEqual(edited.process.user.additionalGids, [9, 10])
  assert.deepEqual(edited.hooks, {
    createRuntime: [{ path: '/bin/hook' }, { path: '/bin/hook', args: ['hook', '-x'], timeout: 5 }],
  })
  assert.equal(Object.keys(edited).at(-1), 'linux')
})

test('applyEdits() mounts parents before what is below them, in place of mounts with the same destination', () => {
  const edited = applyEdits(spec, [
    {
      mounts: [
        { hostPath: '/h/deep', containerPath: '/b/deep' },
        { hostPath: '/h/a', containerPath: '/a', options: ['bind', 'ro'] },
      ],
    },
  ])
  assert.deepEqual(
    edited.mounts.map(({ destination, source, options }) => [destination, source, options]),
    [
      ['/a', '/h/a', ['bind', 'ro']],
      ['/b/deep', '/h/deep', ['rbind']],
    ],
  )
})

test("applyEdits() gives device nodes to the container's user, with a rule that permits their use", () => {
  const edited = applyEdits(spec, [
    { deviceNodes: [{ path: '/dev/x', type: 'b', major: 5, minor: 6, permissions: 'r' }] },
  ])
  assert.deepEqual(edited.linux.devices, [{ path: '/dev/x', type: 'b', major: 5, minor: 6, uid: 7, gid: 8 }])
  assert.deepEqual(edited.linux.resources.devices, [{ allow: true, type: 'b', major: 5, minor: 6, access: 'r' }])
  const missing = [{ deviceNodes: [{ path: '/dev/none-such' }] }]
  assert.throws(() => applyEdits(spec, missing), /failed to stat CDI host device "\/dev\/none-such"/)
})
