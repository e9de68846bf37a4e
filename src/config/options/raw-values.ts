/** Typed access to raw values, whose types `parse-options.ts` has checked already. */
import { invalidArgument } from '../../base/index.ts'
import type { DaemonOption } from './daemon-option.ts'
import { type DaemonOptionName, daemonOptions } from './daemon-options.ts'
import type { RawValues } from './parse-options.ts'

/** A value that is a text; undefined when nothing was said. */
export function text(raw: RawValues, name: keyof RawValues): string | undefined {
  return raw[name] as string | undefined
}

/** A value that is a number, in the option's own unit; undefined when nothing was said. */
export function number(raw: RawValues, name: keyof RawValues): number | undefined {
  return raw[name] as number | undefined
}

/** A value that is a list; empty when nothing was said. */
export function list(raw: RawValues, name: keyof RawValues): readonly string[] {
  return (raw[name] as readonly string[] | undefined) ?? []
}

/** A value that must be one of `choices`; undefined when nothing was said. Throws `invalidArgument` that names the option
 *  as the file does. */
export function oneOf<T extends string>(raw: RawValues, name: DaemonOptionName, choices: readonly T[]): T | undefined {
  const value = text(raw, name)
  if (value === undefined || (choices as readonly string[]).includes(value)) return value as T | undefined
  throw invalidArgument(
    `${(daemonOptions[name] as DaemonOption).key ?? name}: "${value}" is invalid: expected ${choices.join(' or ')}`,
  )
}
