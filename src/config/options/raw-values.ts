/** Typed access to raw values. `parse-options.ts` has already checked their types. */
import { invalidArgument } from '../../base/index.ts'
import type { DaemonOption } from './daemon-option.ts'
import { type DaemonOptionName, daemonOptions } from './daemon-options.ts'
import type { RawValues } from './parse-options.ts'

/** The text of an option; undefined when it is not set. */
export function text(raw: RawValues, name: keyof RawValues): string | undefined {
  return raw[name] as string | undefined
}

/** The number of an option, in the option's own unit; undefined when it is not set. */
export function number(raw: RawValues, name: keyof RawValues): number | undefined {
  return raw[name] as number | undefined
}

/** The list of an option; empty when it is not set. */
export function list(raw: RawValues, name: keyof RawValues): readonly string[] {
  return (raw[name] as readonly string[] | undefined) ?? []
}

/** The text of an option that must be one of `choices`; undefined when it is not set. Throws `invalidArgument` with the
 *  option's name in the file. */
export function oneOf<T extends string>(raw: RawValues, name: DaemonOptionName, choices: readonly T[]): T | undefined {
  const value = text(raw, name)
  if (value === undefined || (choices as readonly string[]).includes(value)) return value as T | undefined
  throw invalidArgument(
    `${(daemonOptions[name] as DaemonOption).key ?? name}: "${value}" is invalid: expected ${choices.join(' or ')}`,
  )
}
