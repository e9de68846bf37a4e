import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runtimesConfig } from './runtimes-config.ts'

const of = (runtimes: Readonly<Record<string, unknown>>) => runtimesConfig({ runtimes })

test("runtimesConfig() has Docker's names and their meanings", () => {
  const stock = of({})
  assert.deepEqual(stock.crun, { path: 'crun', args: [] })
  assert.match(stock.runc?.path ?? '', /^(runc|crun)$/)
  assert.deepEqual(stock['io.containerd.runc.v2'], stock.runc)
  const own = { path: '/opt/runc', args: ['--debug'] }
  assert.deepEqual(of({ runc: { path: '/opt/runc', runtimeArgs: ['--debug'] } })['io.containerd.runc.v2'], own)
  const shim = { runtimeType: 'io.containerd.runc.v2' }
  assert.deepEqual(of({ a: { ...shim, options: { BinaryName: '/opt/a' } } }).a, { path: '/opt/a', args: [] })
  assert.deepEqual(of({ a: shim }).a, stock.runc)
})

test("runtimesConfig() refuses runtimes that it can't start, by name", () => {
  const shim = { runtimeType: 'io.containerd.runc.v2' }
  for (const [runtime, message] of [
    [{}, /runtimes: "x": either a runtimeType or a path must be configured/],
    [{ path: 'a', ...shim }, /cannot configure both path and runtimeType/],
    [{ path: 'a', options: {} }, /options cannot be used with a path runtime/],
    [{ ...shim, runtimeArgs: ['a'] }, /args cannot be used with a runtimeType runtime/],
    [{ ...shim, options: { SystemdCgroup: true } }, /options: "SystemdCgroup" is not supported/],
    [{ runtimeType: 'io.containerd.kata.v2' }, /runtimeType "io.containerd.kata.v2" is not supported/],
    [{ path: 'a', color: 'red' }, /"color" is not supported/],
  ] as const) {
    assert.throws(() => of({ x: runtime }), message)
  }
})
