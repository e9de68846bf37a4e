import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatNs } from '../../base/index.ts'
import { type ContainerRecord, newestFirst } from '../record/container-record.ts'
import { compileFilters, type FilterLookups } from './list-filters.ts'

/** Four containers of the same second, oldest first. As text, their times sort differently, because trailing zeros of
 *  the fraction are not written, and digits and the point sort before "Z". */
const secondNs = 1_700_000_000_000_000_000n
const containers = [0n, 1n, 120_000_000n, 120_000_001n].map(
  (ns, at) => ({ name: `c${at}`, created: formatNs(secondNs + ns) }) as ContainerRecord,
)
const namesOf = (records: readonly ContainerRecord[]): string[] => records.map(({ name }) => name)

const lookups = {
  container: (name: string) => containers.find((one) => one.name === name),
} as unknown as FilterLookups

function listed(key: 'before' | 'since', name: string): string[] {
  return namesOf(containers.filter(compileFilters({ [key]: [name] }, lookups)))
}

test('newestFirst() compares times as numbers', () => {
  assert.deepEqual(namesOf(newestFirst(containers)), ['c3', 'c2', 'c1', 'c0'])
  assert.deepEqual(namesOf(newestFirst(containers.toReversed())), ['c3', 'c2', 'c1', 'c0'])
})

test('compileFilters(): exited compares exit codes as numbers, and only of containers that exited', () => {
  const ended = ([name, status, exitCode]: readonly [string, string, number]) =>
    ({ name, state: { status, exitCode } }) as ContainerRecord
  const all = (
    [
      ['up', 'running', 0],
      ['good', 'exited', 0],
      ['bad', 'exited', 3],
    ] as const
  ).map(ended)
  const exited = (...values: string[]) => namesOf(all.filter(compileFilters({ exited: values }, lookups)))
  assert.deepEqual(exited('0'), ['good'])
  assert.deepEqual(exited('+3'), ['bad'])
  assert.deepEqual(exited('00', '03'), ['good', 'bad'])
  assert.deepEqual(exited('4'), [])
})

test('compileFilters(): before and since compare times as numbers', () => {
  for (const [at, { name }] of containers.entries()) {
    assert.deepEqual(listed('before', name), namesOf(containers.slice(0, at)), `before ${name}`)
    assert.deepEqual(listed('since', name), namesOf(containers.slice(at + 1)), `since ${name}`)
  }
})
