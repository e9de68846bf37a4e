/** The limits of the build cache: `builder.gc` of daemon.json, with dockerd's keys.
 *  https://docs.docker.com/build/cache/garbage-collection/ */
import { invalidArgument } from '../base/index.ts'
import { parseBytes } from './options/values.ts'

/** Bytes, or a share (0 to 1) of the disk with the data root. */
export type SpaceLimit = { readonly bytes: number } | { readonly share: number }

/** One rule of the cache's garbage collection: which entries it removes, and how much space it keeps. */
export interface CacheRule {
  /** Also remove layers that images use. */
  readonly all: boolean
  readonly filters: Readonly<Record<string, readonly string[]>>
  readonly reservedSpace: SpaceLimit | undefined
  readonly maxUsedSpace: SpaceLimit | undefined
  readonly minFreeSpace: SpaceLimit | undefined
}

/** The builder's options, checked. */
export interface BuilderConfig {
  readonly gc: { readonly enabled: boolean; readonly rules: readonly CacheRule[] }
}

const gcKeys = [
  ...['enabled', 'policy', 'defaultKeepStorage', 'defaultReservedSpace', 'defaultMaxUsedSpace', 'defaultMinFreeSpace'],
]
const ruleKeys = ['all', 'filter', 'keepStorage', 'reservedSpace', 'maxUsedSpace', 'minFreeSpace']

const defaultReserved: SpaceLimit = { share: 0.1 }
const defaultMaxUsed: SpaceLimit = { share: 0.75 }
const defaultMinFree: SpaceLimit = { share: 0.2 }

/** Reads the value of `builder`. Throws `invalidArgument` with the key that is wrong. */
export function builderConfig(value: unknown): BuilderConfig {
  const builder = objectOf(value ?? {}, 'builder', ['gc', 'entitlements'])
  if (builder.entitlements !== undefined) {
    throw invalidArgument('builder.entitlements is not supported: clients allow entitlements themselves (--allow)')
  }
  const gc = objectOf(builder.gc ?? {}, 'builder.gc', gcKeys)
  if (gc.enabled !== undefined && typeof gc.enabled !== 'boolean')
    throw invalidArgument('builder.gc.enabled: not a boolean')
  const reserved = space(gc.defaultReservedSpace ?? gc.defaultKeepStorage, 'builder.gc.defaultReservedSpace')
  const rule: CacheRule = {
    all: true,
    filters: {},
    reservedSpace: reserved ?? defaultReserved,
    maxUsedSpace:
      space(gc.defaultMaxUsedSpace, 'builder.gc.defaultMaxUsedSpace') ??
      (reserved === undefined ? defaultMaxUsed : reserved),
    minFreeSpace: space(gc.defaultMinFreeSpace, 'builder.gc.defaultMinFreeSpace') ?? defaultMinFree,
  }
  const rules = gc.policy === undefined || gc.policy === null ? [rule] : policyOf(gc.policy)
  return { gc: { enabled: gc.enabled !== false, rules } }
}

function policyOf(value: unknown): CacheRule[] {
  if (!Array.isArray(value)) throw invalidArgument('builder.gc.policy: not a list')
  return value.map((one: unknown, index) => {
    const place = `builder.gc.policy[${index}]`
    const rule = objectOf(one, place, ruleKeys)
    const reserved = space(rule.reservedSpace ?? rule.keepStorage, `${place}.reservedSpace`)
    return {
      all: rule.all === true,
      filters: filtersOf(rule.filter, place),
      reservedSpace: reserved,
      maxUsedSpace: space(rule.maxUsedSpace, `${place}.maxUsedSpace`),
      minFreeSpace: space(rule.minFreeSpace, `${place}.minFreeSpace`),
    }
  })
}

/** Reads `["until=24h", "type=regular"]`. Accepts `unused-for` as well, the older word for `until`. */
function filtersOf(value: unknown, place: string): Record<string, string[]> {
  const filters: Record<string, string[]> = {}
  if (value === undefined || value === null) return filters
  if (!Array.isArray(value)) throw invalidArgument(`${place}.filter: not a list`)
  for (const text of value.map(String)) {
    const [, name = '', wanted = ''] = /^([^=]+)==?(.*)$/.exec(text) ?? []
    if (name === '') throw invalidArgument(`${place}.filter: ${JSON.stringify(text)} is not name=value`)
    const key = name === 'unused-for' ? 'until' : name
    filters[key] = [...(filters[key] ?? []), wanted]
  }
  return filters
}

function space(value: unknown, key: string): SpaceLimit | undefined {
  if (value === undefined || value === null || value === '') return undefined
  const text = String(value)
  const percent = /^(\d{1,3})%$/.exec(text)?.[1]
  return percent === undefined ? { bytes: parseBytes(text, key) } : { share: Number(percent) / 100 }
}

function objectOf(value: unknown, place: string, known: readonly string[]): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(`${place}: not an object`)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown !== undefined) throw invalidArgument(`${place}: unknown key "${unknown}" (${known.join(', ')} are known)`)
  return value as Readonly<Record<string, unknown>>
}
