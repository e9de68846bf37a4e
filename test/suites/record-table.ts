/** The contract of every table of container records. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorKind, isKind } from '../../src/base/index.ts'
import type { ContainerRecord } from '../../src/containers/record/container-record.ts'
import type { RecordTable } from '../../src/containers/record/record-table.ts'

/** Declares the suite's tests for the tables that `open` makes. */
export function recordTableSuite(name: string, open: () => RecordTable): void {
  test(`${name}: keeps the last version of each record`, () => {
    const table = open()
    table.insert(record('1', 'a'))
    table.insert(record('2', 'b'))
    table.update(record('1', 'c'))
    table.delete('2')
    table.delete('2')
    assert.deepEqual(
      table.all().map(({ id, name: own, json }) => [id, own, (JSON.parse(json) as ContainerRecord).name]),
      [['1', 'c', 'c']],
    )
  })

  test(`${name}: refuses a taken id or name, and a change of a removed record`, () => {
    const table = open()
    table.insert(record('1', 'a'))
    table.insert(record('2', 'b'))
    fails(() => table.insert(record('1', 'c')), 'conflict')
    fails(() => table.insert(record('3', 'a')), 'conflict')
    fails(() => table.update(record('2', 'a')), 'conflict')
    fails(() => table.update(record('4', 'd')), 'notFound')
    assert.deepEqual(
      table.all().map(({ id, name: own }) => [id, own]),
      [
        ['1', 'a'],
        ['2', 'b'],
      ],
    )
    table.delete('1')
    table.update(record('2', 'a'))
  })
}

function record(id: string, name: string): ContainerRecord {
  return { id, name } as ContainerRecord
}

function fails(work: () => void, kind: ErrorKind): void {
  assert.throws(work, (error) => isKind(error, kind))
}
