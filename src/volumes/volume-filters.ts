/** Filters of volume lists and of prune. Pure. */
import type { Filters } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import { booleanFilter, matchesLabel, namesMatching } from '../contract/index.ts'
import type { VolumeSummary } from './record/volume-record.ts'

type Test = (volume: VolumeSummary) => boolean

/** One test for all filters: any value of a key (of `label` all, of `label!` none), all keys. Throws `invalidArgument`
 *  for a key that volumes do not have and for a wrong value, also if there is no volume to test. */
export function volumeTest(filters: Filters): Test {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => compileOne(key, values))
  return (volume) => tests.every((test) => test(volume))
}

function compileOne(key: string, values: readonly string[]): Test {
  switch (key) {
    case 'name': {
      const matches = namesMatching(values)
      return ({ name }) => matches(name)
    }
    case 'driver':
      return ({ driver }) => values.includes(driver)
    case 'dangling': {
      const isDangling = booleanFilter({ dangling: values }, 'dangling')
      return ({ users }) => isDangling === (users === 0)
    }
    case 'label':
      return ({ labels }) => values.every((value) => matchesLabel(labels, value))
    case 'label!':
      return ({ labels }) => !values.some((value) => matchesLabel(labels, value))
    default:
      throw invalidArgument(`invalid filter '${key}'`)
  }
}
