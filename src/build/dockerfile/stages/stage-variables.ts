/** The variables at one point of a stage: ENV over ARG over nothing. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import { defaultPath } from './apply-to-config.ts'

/** Declared arguments in order of declaration; undefined for those without a value. */
export type StageArguments = ReadonlyMap<string, string | undefined>

/** The environment of a configuration as a map; PATH is always there, as RUN will have it. */
export function environmentOf(config: OciRuntimeDefaults): ReadonlyMap<string, string> {
  const variables = new Map<string, string>()
  for (const line of config.Env ?? []) {
    const equals = line.indexOf('=')
    if (equals === -1) variables.set(line, '')
    else variables.set(line.slice(0, equals), line.slice(equals + 1))
  }
  if (!variables.has('PATH')) variables.set('PATH', defaultPath)
  return variables
}

/** What a RUN sees, as `KEY=value` lines: the environment, then arguments that it does not hide. */
export function runEnvironment(config: OciRuntimeDefaults, args: StageArguments): readonly string[] {
  const variables = new Map(environmentOf(config))
  for (const [name, value] of args) if (value !== undefined && !variables.has(name)) variables.set(name, value)
  return [...variables].map(([name, value]) => `${name}=${value}`)
}
