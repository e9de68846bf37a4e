/** The instructions of a Dockerfile as typed values. Words are as written; `evaluateStage` expands variables.
 *  https://docs.docker.com/reference/dockerfile/ */
import type { LogicalLine } from '../text/logical-line.ts'
import type { Word } from '../text/words.ts'
import type { Mount } from './mount.ts'

interface InstructionBase {
  /** The keyword as written, in its case. */
  readonly keyword: string
  readonly line: LogicalLine
}

/** A command. The exec form runs as it is, the shell form through the stage's shell. */
export type Command =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly text: string }

/** A here-document that begins with `#!`. It becomes an executable file of that name and runs without a shell. */
export interface Script {
  readonly form: 'script'
  readonly name: string
  readonly content: string
}

/** `FROM [--platform] image [AS name]`. */
export interface FromInstruction extends InstructionBase {
  readonly kind: 'FROM'
  readonly image: Word
  readonly platform?: Word
  /** In lower case. References are compared with this. */
  readonly stageName?: string
  readonly stageNameAsWritten?: string
  /** The word `AS` as written. */
  readonly as?: string
}

/** One argument of an ARG. */
export interface Argument {
  readonly name: string
  /** The default, or undefined without one. After evaluation: the argument's value. */
  readonly value?: string
  /** After evaluation: the default, whatever value the user gave. */
  readonly fallback?: string
  readonly offset: number
}

/** `ARG name[=default] …`. */
export interface ArgInstruction extends InstructionBase {
  readonly kind: 'ARG'
  readonly args: readonly Argument[]
}

/** One key of ENV or LABEL, including quotes and escape characters. */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly offset: number
}

/** `ENV` and `LABEL`. */
export interface PairsInstruction extends InstructionBase {
  readonly kind: 'ENV' | 'LABEL'
  readonly pairs: readonly Pair[]
  /** Written in the old form `KEY value`. */
  readonly legacy: boolean
}

/** `RUN` with its flags. */
export interface RunInstruction extends InstructionBase {
  readonly kind: 'RUN'
  readonly command: Command | Script
  readonly mounts: readonly Mount[]
  /** The mounts as written, for expansion. */
  readonly mountFlags: readonly Word[]
  readonly network: 'default' | 'none' | 'host'
  readonly security: 'sandbox' | 'insecure'
  /** CDI devices. The step fails when a required one is missing. */
  readonly devices: readonly { readonly name: string; readonly required: boolean }[]
}

/** `CMD` and `ENTRYPOINT`. */
export interface CommandInstruction extends InstructionBase {
  readonly kind: 'CMD' | 'ENTRYPOINT'
  readonly command: Command
}

/** A source of files: a path (for ADD also a URL or a git repository), or text in the Dockerfile. */
export type CopySource =
  | { readonly kind: 'path'; readonly path: string; readonly offset: number }
  | { readonly kind: 'inline'; readonly name: string; readonly content: string; readonly expand: boolean }

interface CopyBase extends InstructionBase {
  readonly sources: readonly CopySource[]
  readonly destination: Word
  /** After evaluation, when `destination` was made absolute: the destination as written, with variables expanded. */
  readonly writtenDestination?: string
  readonly chown?: Word
  readonly chmod?: Word
  readonly exclude: readonly Word[]
  readonly link: boolean
}

/** `COPY`. */
export interface CopyInstruction extends CopyBase {
  readonly kind: 'COPY'
  /** The name or index of a stage, a named context, or an image. */
  readonly from?: Word
  readonly parents: boolean
}

/** `ADD`. */
export interface AddInstruction extends CopyBase {
  readonly kind: 'ADD'
  readonly checksum?: Word
  readonly keepGitDir: boolean
  /** Undefined: unpack archives from the context, but not those from URLs. */
  readonly unpack?: boolean
}

/** `EXPOSE` and `VOLUME`. */
export interface WordsInstruction extends InstructionBase {
  readonly kind: 'EXPOSE' | 'VOLUME'
  readonly words: readonly Word[]
}

/** Instructions that take the rest of the line as one argument. */
export interface TextInstruction extends InstructionBase {
  readonly kind: 'USER' | 'WORKDIR' | 'STOPSIGNAL' | 'MAINTAINER'
  readonly text: Word
}

/** `ONBUILD`: an instruction for stages based on this image. */
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'ONBUILD'
  /** The text for the image's configuration, including here-documents. */
  readonly trigger: string
  readonly instruction: Instruction
}

/** `HEALTHCHECK`. Times are in nanoseconds. Absent values were not given. */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: 'HEALTHCHECK'
  /** Undefined for NONE. */
  readonly command?: Command
  readonly intervalNs?: number
  readonly timeoutNs?: number
  readonly startPeriodNs?: number
  readonly startIntervalNs?: number
  readonly retries?: number
}

/** `SHELL`. Its form is always a JSON list. */
export interface ShellInstruction extends InstructionBase {
  readonly kind: 'SHELL'
  readonly shell: readonly string[]
}

/** Any instruction except FROM. */
export type Instruction =
  | ArgInstruction
  | PairsInstruction
  | RunInstruction
  | CommandInstruction
  | CopyInstruction
  | AddInstruction
  | WordsInstruction
  | TextInstruction
  | OnbuildInstruction
  | HealthcheckInstruction
  | ShellInstruction

/** All keywords, in upper case. */
export const keywords = [
  ...['ADD', 'ARG', 'CMD', 'COPY', 'ENTRYPOINT', 'ENV', 'EXPOSE', 'FROM', 'HEALTHCHECK', 'LABEL', 'MAINTAINER'],
  ...['ONBUILD', 'RUN', 'SHELL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR'],
] as readonly (Instruction['kind'] | 'FROM')[]
