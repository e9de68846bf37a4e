import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isKind, nullLogger } from '../../base/index.ts'
import { Database, NetworkTable } from '../../store/index.ts'
import { NetworkIndex } from './network-index.ts'
import { completeNetworkRecord, type NetworkRecord } from './network-record.ts'

function record(id: string, name: string): NetworkRecord {
  return completeNetworkRecord({
    version: 1,
    id,
    name,
    driver: 'bridge',
    created: '',
    ipam: [],
    options: {},
    labels: {},
  })
}

function open(db: Database): NetworkIndex {
  return NetworkIndex.open(new NetworkTable<NetworkRecord>(db), nullLogger)
}

test('NetworkIndex finds a network by id, name and prefix of the id, in this order', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const index = open(db)
  index.put(record('aaaa1111', 'one'), record('aaaa2222', 'two'), record('bbbb3333', 'aaaa1'))
  assert.equal(index.find('aaaa2222').name, 'two')
  assert.equal(index.find('two').id, 'aaaa2222')
  assert.equal(index.find('aaaa1').id, 'bbbb3333')
  assert.equal(index.find('aaaa22').id, 'aaaa2222')
  assert.throws(() => index.find('aaaa'), /network aaaa is ambiguous \(2 matches found based on ID prefix\)/)
  assert.throws(() => index.find('three'), (error) => isKind(error, 'notFound')) // biome-ignore format: one line
  assert.equal(index.match('cccc'), undefined)
})

test('NetworkIndex keeps its records in the database', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const first = open(db)
  first.put(record('aaaa1111', 'one'), record('bbbb2222', 'two'))
  first.delete('aaaa1111')
  first.delete('unknown')
  const again = open(db)
  assert.deepEqual(again.list().map(({ name }) => name), ['two']) // biome-ignore format: one line
  assert.deepEqual([again.byName('one'), again.byName('two')?.id], [undefined, 'bbbb2222'])
})

test('NetworkIndex.put adds all networks or none if a name is in use', (t) => {
  const db = Database.open(':memory:')
  t.after(() => db.close())
  const index = open(db)
  index.put(record('aaaa1111', 'one'))
  const wanted = [record('bbbb2222', 'two'), record('cccc3333', 'one')]
  assert.throws(() => index.put(...wanted), (error) => isKind(error, 'conflict')) // biome-ignore format: one line
  assert.equal(index.byName('two'), undefined)
  assert.deepEqual(open(db).list().map(({ id }) => id), ['aaaa1111']) // biome-ignore format: one line
})
