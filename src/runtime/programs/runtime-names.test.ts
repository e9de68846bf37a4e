import assert from 'node:assert/strict'
import { test } from 'node:test'
import { currentRuntimeName, isShimName, noSuchRuntime } from './runtime-names.ts'

test('isShimName() decides as containerd does', () => {
  for (const name of ['io.containerd.kata.v2', 'a.b', 'a.']) assert.equal(isShimName(name), true, name)
  for (const name of ['kata', '.a', '/usr/bin/kata.v2', 'a/b.c', '']) assert.equal(isShimName(name), false, name)
})

test("currentRuntimeName() translates Docker's earlier names of runc", () => {
  assert.equal(currentRuntimeName('io.containerd.runc.v1'), 'io.containerd.runc.v2')
  assert.equal(currentRuntimeName('io.containerd.runtime.v1.linux'), 'io.containerd.runc.v2')
  assert.equal(currentRuntimeName('crun'), 'crun')
})

test('noSuchRuntime() names what is missing', () => {
  assert.match(noSuchRuntime('x').message, /^unknown or invalid runtime name: x$/)
  assert.match(noSuchRuntime('io.containerd.x.v2').message, /failed to start shim: .*"io\.containerd\.x\.v2"/)
})
