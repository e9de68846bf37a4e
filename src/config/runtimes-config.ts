/** The OCI runtimes that containers may name: crun, those of the configuration, and Docker's two names, `runc` and
 *  `io.containerd.runc.v2`. Where runc is not installed, these two mean crun, which takes the same commands: a compose
 *  file that names Docker's runtime wants the usual one.
 *  https://docs.docker.com/reference/cli/dockerd/#configure-container-runtimes */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { invalidArgument } from '../base/index.ts'
import type { RawValues } from './options/parse-options.ts'

/** One runtime program. */
export interface RuntimeConfig {
  /** A path, or a name that is searched for on the PATH. */
  readonly path: string
  /** Arguments that precede every command. */
  readonly args: readonly string[]
}

/** containerd's name for runc. Berth starts the runtime itself, without containerd's shim. */
const shimOfRunc = 'io.containerd.runc.v2'

/** The runtimes of `runtimes` and `--add-runtime`, by name. Throws `invalidArgument` for an invalid one. */
export function runtimesConfig(raw: RawValues): Record<string, RuntimeConfig> {
  const runtimes: Record<string, RuntimeConfig> = {
    crun: plain('crun'),
    runc: plain(isOnPath('runc') ? 'runc' : 'crun'),
  }
  for (const [name, value] of Object.entries((raw.runtimes ?? {}) as Record<string, unknown>)) {
    runtimes[name] = runtimeOf(name, value)
  }
  for (const item of (raw.addRuntime ?? []) as readonly string[]) {
    const [, name, path] = /^([^=]+)=(.+)$/.exec(item) ?? []
    if (name === undefined || path === undefined) throw invalidArgument(`invalid runtime "${item}": expected NAME=PATH`)
    runtimes[name] = plain(path)
  }
  return { [shimOfRunc]: runtimes.runc as RuntimeConfig, ...runtimes }
}

function runtimeOf(name: string, value: unknown): RuntimeConfig {
  const fail = (why: string): Error => invalidArgument(`runtimes: "${name}": ${why}`)
  const { path, runtimeArgs = [], runtimeType, options, ...others } = (value ?? {}) as Readonly<Record<string, unknown>>
  const [other] = Object.keys(others)
  if (other !== undefined) throw fail(`"${other}" is not supported`)
  if (runtimeType !== undefined) {
    if (path !== undefined) throw fail('cannot configure both path and runtimeType for the same runtime')
    if ('runtimeArgs' in (value as object)) throw fail('args cannot be used with a runtimeType runtime')
    if (runtimeType !== shimOfRunc) {
      throw fail(`runtimeType "${runtimeType}" is not supported: Berth starts OCI runtimes without containerd's shims`)
    }
    return plain(binaryOf(options, fail) ?? (isOnPath('runc') ? 'runc' : 'crun'))
  }
  if (options !== undefined) throw fail('options cannot be used with a path runtime')
  if (typeof path !== 'string' || path === '') throw fail('either a runtimeType or a path must be configured')
  if (!Array.isArray(runtimeArgs) || runtimeArgs.some((item) => typeof item !== 'string')) {
    throw fail('"runtimeArgs" must be a list of strings')
  }
  return { path, args: runtimeArgs as string[] }
}

/** The program named by the shim's options. The other options concern the shim only. */
function binaryOf(options: unknown, fail: (why: string) => Error): string | undefined {
  const { BinaryName: binary, ...others } = (options ?? {}) as Readonly<Record<string, unknown>>
  const [other] = Object.keys(others)
  if (other !== undefined) throw fail(`options: "${other}" is not supported`)
  if (binary === undefined) return undefined
  if (typeof binary !== 'string' || binary === '') throw fail('options: "BinaryName" must be a path')
  return binary
}

function plain(path: string): RuntimeConfig {
  return { path, args: [] }
}

/** True when the host has the program. Berth offers runc only where it is installed. */
function isOnPath(program: string): boolean {
  return (process.env.PATH ?? '').split(':').some((directory) => existsSync(join(directory, program)))
}
