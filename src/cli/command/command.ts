/** What a command is made of. Each verb's file exports one `command`. */
import type { EngineClient } from '../../client/index.ts'
import type { ClientSettings, RunProgram } from '../../config/client/index.ts'
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import type { Input } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'

/** How many operands a command takes. */
export interface OperandCount {
  readonly min: number
  /** Without it: any number. */
  readonly max?: number
}

type Public<T> = Pick<T, keyof T>

/** The calls of the API that commands make; a test may give its own. */
export type CliClient = Pick<EngineClient, 'url' | 'connect'> & {
  readonly containers: Public<EngineClient['containers']>
  readonly containerLifecycle: Public<EngineClient['containerLifecycle']>
  readonly containerIo: Public<EngineClient['containerIo']>
  readonly containerFiles: Public<EngineClient['containerFiles']>
  readonly exec: Public<EngineClient['exec']>
  readonly images: Public<EngineClient['images']>
  readonly volumes: Public<EngineClient['volumes']>
  readonly networks: Public<EngineClient['networks']>
  readonly system: Public<EngineClient['system']>
  readonly registries: Public<EngineClient['registries']>
  readonly builds: Public<EngineClient['builds']>
}

/** What a command works with. */
export interface CliContext {
  /** `berth run`, `berth container run`: as it was called. */
  readonly commandPath: string
  readonly client: CliClient
  readonly settings: ClientSettings
  readonly output: Output
  readonly errors: Output
  readonly input: Input
  /** For credential helpers. */
  readonly runProgram: RunProgram
  now(): Date
}

export interface Command {
  /** What follows the command's name in its usage line. */
  readonly usage: string
  readonly operands: OperandCount
  readonly flags: readonly Flag[]
  /** False: flags end at the first operand, the rest belongs to the container's program. */
  readonly interspersed?: boolean
  /** Resolves with the exit code, 0 when there is none. */
  run(context: CliContext, flags: FlagValues, operands: readonly string[]): Promise<number | undefined>
}
