import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind, nullLogger } from '../../base/index.ts'
import { ContainerTable, Database } from '../../store/index.ts'
import { ContainerIndex } from './container-index.ts'
import { type ContainerRecord, withChanges } from './container-record.ts'

const first = 'aa11'.padEnd(64, '0')
const second = 'aa22'.padEnd(64, '0')

function open(): { index: ContainerIndex; database: Database } {
  const database = Database.open(':memory:')
  return { index: ContainerIndex.open(new ContainerTable(database), nullLogger), database }
}

function record(id: string, name: string): ContainerRecord {
  const whole = { version: 1, id, name, state: { status: 'created' }, config: {}, hostConfig: {}, mounts: [] }
  return whole as unknown as ContainerRecord
}

test('ContainerIndex.get() finds by id, name and unique prefix, in this order', () => {
  const { index } = open()
  index.insert(record(first, 'web'))
  index.insert(record(second, 'aa11'))
  assert.equal(index.get(first).name, 'web')
  assert.equal(index.get('/web').id, first)
  assert.equal(index.get('aa11').id, second)
  assert.equal(index.get('aa2').id, second)
  assert.throws(() => index.get('aa'), /Multiple IDs/)
  for (const [name, kind] of [['', 'invalidArgument'] as const, ['none', 'notFound'] as const]) {
    assert.throws(
      () => index.get(name),
      (error) => isKind(error, kind),
    )
  }
})

test('ContainerIndex keeps names unique and follows a rename', () => {
  const { index } = open()
  index.insert(record(first, 'web'))
  assert.throws(
    () => index.insert(record(second, 'web')),
    (error) => isKind(error, 'conflict'),
  )
  assert.equal(index.find(second), undefined)
  index.save(withChanges(index.get('web'), { name: 'api' }))
  assert.equal(index.findByName('web'), undefined)
  assert.equal(index.findByName('api')?.id, first)
  index.delete(first)
  assert.deepEqual(index.all(), [])
})

test('ContainerIndex.open() reads stored records and sets broken ones aside', () => {
  const { index, database } = open()
  index.insert(record(first, 'web'))
  database.run('INSERT INTO containers (id, name, record) VALUES (?, ?, ?)', second, 'bad', '{"version":2}')
  const next = ContainerIndex.open(new ContainerTable(database), nullLogger)
  assert.equal(next.get('web').id, first)
  assert.deepEqual([...next.brokenIds], [second])
  assert.equal(next.findBroken('bad'), second)
  assert.equal(next.findBroken(second), second)
  next.delete(second)
  assert.equal(next.findBroken('bad'), undefined)
})
