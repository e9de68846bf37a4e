/** Flags of the prune commands. */
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'

/** `--filter`. It has no short form, because `-f` is `--force`. */
export function pruneFilterFlag(example = 'until=<timestamp>'): Flag {
  return { name: 'filter', type: 'filter', help: `Filter (e.g. "${example}")` }
}

/** `--force`, which skips the question. */
export const forceFlag: Flag = { name: 'force', short: 'f', type: 'bool', help: 'Do not ask for confirmation' }

type Filters = ReturnType<FlagValues['filters']>

/** The filters, with those of the configuration's `pruneFilters` (`label=x`) added. */
export function withPruneFilters(filters: Filters, configured: readonly string[] | undefined): Filters {
  const all: Filters = { ...filters }
  for (const text of configured ?? []) {
    const [name = '', ...value] = text.split('=')
    if (name === '' || value.length === 0) continue
    all[name] = [...(all[name] ?? []), value.join('=')]
  }
  return all
}
