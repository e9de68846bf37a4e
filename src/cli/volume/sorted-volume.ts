import type { Volume } from '../../api/index.ts'

/** A volume as JSON, with its keys sorted as in Docker's CLI. */
export function sortedVolume(volume: Volume): string {
  return JSON.stringify(sortKeys(volume))
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, item]) => [name, sortKeys(item)]),
  )
}
