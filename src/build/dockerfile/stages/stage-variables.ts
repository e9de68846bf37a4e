/** The variables at one point of a stage. ENV takes precedence over ARG. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import { defaultPath } from './apply-to-config.ts'

/** Declared arguments in order of declaration. Undefined for those without a value. */
export type StageArguments = ReadonlyMap<string, string | undefined>

/** The environment of a configuration as a map. PATH is always present, as in a RUN. */
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

/** The environment of a RUN as `KEY=value` lines: ENV variables, then the arguments that they do not hide. */
export function runEnvironment(config: OciRuntimeDefaults, args: StageArguments): readonly string[] {
  const variables = new Map(environmentOf(config))
  for (const [name, value] of args) if (value !== undefined && !variables.has(name)) variables.set(name, value)
  return [...variables].map(([name, value]) => `${name}=${value}`)
}
