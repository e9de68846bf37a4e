/** The parts of a command. The file of each verb exports one `command`. */
import type { EngineClient } from '../../client/index.ts'
import type { ClientSettings, RunProgram } from '../../config/client/index.ts'
import type { Flag } from '../flags/flag.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import type { Input } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'

/** The number of operands that a command takes. */
export interface OperandCount {
  readonly min: number
  /** Absent: any number. */
  readonly max?: number
}

type Public<T> = Pick<T, keyof T>

/** The calls of the API that commands make. Tests may supply their own. */
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
  /** The command as the user called it: `berth run`, `berth container run`. */
  readonly commandPath: string
  readonly client: CliClient
  readonly settings: ClientSettings
  readonly output: Output
  readonly errors: Output
  readonly input: Input
  /** Runs credential helpers. */
  readonly runProgram: RunProgram
  now(): Date
}

/** A command: its usage, its flags and its code. */
export interface Command {
  /** The text behind the command's name in its usage line. */
  readonly usage: string
  readonly operands: OperandCount
  readonly flags: readonly Flag[]
  /** False: flags end at the first operand, because the rest belongs to the container's program. */
  readonly interspersed?: boolean
  /** Resolves with the exit code; undefined means 0. */
  run(context: CliContext, flags: FlagValues, operands: readonly string[]): Promise<number | undefined>
}
