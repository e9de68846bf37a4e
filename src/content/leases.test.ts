import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Database, LeaseTable } from '../store/index.ts'
import { Leases } from './leases.ts'

test('Leases hold resources until released', () => {
  const leases = new Leases(new LeaseTable(Database.open(':memory:')))
  const first = leases.create()
  const second = leases.create()
  first.add({ kind: 'blob', key: 'a' })
  first.add({ kind: 'blob', key: 'a' })
  second.add({ kind: 'blob', key: 'a' })
  second.add({ kind: 'snapshot', key: 's' })
  first.release()
  first.release()
  assert.ok(leases.holds({ kind: 'blob', key: 'a' }))
  assert.deepEqual([...leases.held('snapshot')], ['s'])
  second[Symbol.dispose]()
  assert.equal(leases.holds({ kind: 'blob', key: 'a' }), false)
  assert.equal(leases.held('snapshot').size, 0)
})

test('Leases.dropForeign() drops what an earlier run held', () => {
  const table = new LeaseTable(Database.open(':memory:'))
  new Leases(table, 'run 1').create().add({ kind: 'blob', key: 'a' })
  const leases = new Leases(table, 'run 2')
  leases.create().add({ kind: 'blob', key: 'b' })
  assert.equal(leases.dropForeign(), 1)
  assert.deepEqual([...leases.held('blob')], ['b'])
})
