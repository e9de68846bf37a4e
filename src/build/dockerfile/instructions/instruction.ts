/** Instructions of a Dockerfile as typed values. What stands in them is as written: variables are expanded by
 *  `evaluateStage`. https://docs.docker.com/reference/dockerfile/ */
import type { LogicalLine } from '../text/logical-line.ts'
import type { Word } from '../text/words.ts'
import type { Mount } from './mount.ts'

interface InstructionBase {
  /** The keyword in the case in which it was written. */
  readonly keyword: string
  readonly line: LogicalLine
}

/** The exec form runs as it is, the shell form through the stage's shell. */
export type Command =
  | { readonly form: 'exec'; readonly args: readonly string[] }
  | { readonly form: 'shell'; readonly text: string }

/** A here-document that begins with `#!`: made an executable file of that name and run without a shell. */
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
  /** In lower case, which is what references are compared with. */
  readonly stageName?: string
  readonly stageNameAsWritten?: string
  /** The word `AS` as written. */
  readonly as?: string
}

/** One name of an ARG. */
export interface Argument {
  readonly name: string
  /** The default; undefined when there is none. Once it is evaluated: the value that it came to. */
  readonly value?: string
  /** Once it is evaluated: the default, whatever was given. */
  readonly fallback?: string
  readonly offset: number
}

/** `ARG name[=default] …`. */
export interface ArgInstruction extends InstructionBase {
  readonly kind: 'ARG'
  readonly args: readonly Argument[]
}

/** One key of ENV or LABEL, quotes and escape characters still in it. */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly offset: number
}

/** `ENV` and `LABEL`. */
export interface PairsInstruction extends InstructionBase {
  readonly kind: 'ENV' | 'LABEL'
  readonly pairs: readonly Pair[]
  /** Written as `KEY value`. */
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
  /** CDI devices; without a required one the step fails. */
  readonly devices: readonly { readonly name: string; readonly required: boolean }[]
}

/** `CMD` and `ENTRYPOINT`. */
export interface CommandInstruction extends InstructionBase {
  readonly kind: 'CMD' | 'ENTRYPOINT'
  readonly command: Command
}

/** Where files come from: a path (for ADD also a URL or a git repository), or text in the Dockerfile. */
export type CopySource =
  | { readonly kind: 'path'; readonly path: string; readonly offset: number }
  | { readonly kind: 'inline'; readonly name: string; readonly content: string; readonly expand: boolean }

interface CopyBase extends InstructionBase {
  readonly sources: readonly CopySource[]
  readonly destination: Word
  /** Once it is evaluated, when `destination` is absolute: as it was written, without variables. */
  readonly writtenDestination?: string
  readonly chown?: Word
  readonly chmod?: Word
  readonly exclude: readonly Word[]
  readonly link: boolean
}

/** `COPY`. */
export interface CopyInstruction extends CopyBase {
  readonly kind: 'COPY'
  /** A stage's name or index, a named context or an image. */
  readonly from?: Word
  readonly parents: boolean
}

/** `ADD`. */
export interface AddInstruction extends CopyBase {
  readonly kind: 'ADD'
  readonly checksum?: Word
  readonly keepGitDir: boolean
  /** Undefined: archives from the context are unpacked, those from URLs are not. */
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

/** `ONBUILD`: an instruction for those that build on this image. */
export interface OnbuildInstruction extends InstructionBase {
  readonly kind: 'ONBUILD'
  /** The instruction as the image's configuration keeps it, here-documents included. */
  readonly trigger: string
  readonly instruction: Instruction
}

/** The check's test and times (nanoseconds); what was not given is absent. */
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

/** `SHELL`, whose form is always a JSON list. */
export interface ShellInstruction extends InstructionBase {
  readonly kind: 'SHELL'
  readonly shell: readonly string[]
}

/** Any instruction but FROM. */
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
