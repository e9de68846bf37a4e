/** Flags that the prune commands share. */
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'

/** `--filter`, without a letter: `-f` is `--force`. */
export function pruneFilterFlag(example = 'until=<timestamp>'): Flag {
  return { name: 'filter', type: 'filter', help: `Only what meets a condition (e.g. "${example}")` }
}

export const forceFlag: Flag = { name: 'force', short: 'f', type: 'bool', help: 'Do not ask' }

type Filters = ReturnType<FlagValues['filters']>

/** Filters with those of the configuration's `pruneFilters` (`label=x`) beside them. */
export function withPruneFilters(filters: Filters, configured: readonly string[] | undefined): Filters {
  const all: Filters = { ...filters }
  for (const text of configured ?? []) {
    const [name = '', ...value] = text.split('=')
    if (name === '' || value.length === 0) continue
    all[name] = [...(all[name] ?? []), value.join('=')]
  }
  return all
}
