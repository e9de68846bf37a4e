import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSliceName, pathOfRuntimeCgroup, pathOfSlice } from './systemd-scope.ts'

test('pathOfSlice() puts each dash one step down, as systemd does', () => {
  assert.equal(pathOfSlice('system.slice'), '/system.slice')
  assert.equal(pathOfSlice('kube-pods-x1.slice'), '/kube.slice/kube-pods.slice/kube-pods-x1.slice')
  assert.equal(pathOfSlice('-.slice'), '/')
})

test('isSliceName() accepts what systemd accepts', () => {
  for (const name of ['a.slice', 'a-b_c.slice', 'a:b.slice', '-.slice']) assert.equal(isSliceName(name), true, name)
  for (const name of ['.slice', 'a', 'a--b.slice', '-a.slice', 'a-.slice', 'a/b.slice', 'a.slice\n', 'é.slice']) {
    assert.equal(isSliceName(name), false, name)
  }
})

test('pathOfRuntimeCgroup() gives the path of the scope that the runtime made', () => {
  assert.equal(pathOfRuntimeCgroup('/berth/x:y:z'), '/berth/x:y:z')
  assert.equal(pathOfRuntimeCgroup('a-b.slice:berth:c0'), '/a.slice/a-b.slice/berth-c0.scope')
  assert.equal(pathOfRuntimeCgroup(':berth:c0'), '/system.slice/berth-c0.scope')
})
