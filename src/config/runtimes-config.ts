/** The OCI runtimes that containers may name: crun, runc where it is installed, and those of the configuration. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../base/index.ts'
import type { RawValues } from './parse-options.ts'

/** One runtime program. */
export interface RuntimeConfig {
  /** A path, or a name that is looked up. */
  readonly path: string
  /** Arguments before every command. */
  readonly args: readonly string[]
}

/** Of `runtimes` and `--add-runtime`, by name. Throws `invalidArgument` for what is none. */
export function runtimesConfig(raw: RawValues): Record<string, RuntimeConfig> {
  const runtimes: Record<string, RuntimeConfig> = { crun: plain('crun') }
  if (isOnPath('runc')) runtimes.runc = plain('runc')
  for (const [name, value] of Object.entries((raw.runtimes ?? {}) as Record<string, unknown>)) {
    runtimes[name] = runtimeOf(name, value)
  }
  for (const item of (raw.addRuntime ?? []) as readonly string[]) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(item) ?? []
    if (name === undefined || path === undefined) throw invalidArgument(`invalid runtime "${item}": expected NAME=PATH`)
    runtimes[name] = plain(path)
  }
  return runtimes
}

function runtimeOf(name: string, value: unknown): RuntimeConfig {
  const { path, runtimeArgs = [], ...others } = (value ?? {}) as Readonly<Record<string, unknown>>
  const [other] = Object.keys(others)
  // Programs of containerd's own interface.
  if (other !== undefined) throw invalidArgument(`runtimes: "${name}": "${other}" is not supported`)
  if (typeof path !== 'string' || path === '') throw invalidArgument(`runtimes: "${name}" needs a "path"`)
  if (!Array.isArray(runtimeArgs) || runtimeArgs.some((item) => typeof item !== 'string')) {
    throw invalidArgument(`runtimes: "${name}": "runtimeArgs" must be a list of strings`)
  }
  return { path, args: runtimeArgs as string[] }
}

function plain(path: string): RuntimeConfig {
  return { path, args: [] }
}

/** Whether the host has a program; runc is offered only where it is installed. */
function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)))
}
