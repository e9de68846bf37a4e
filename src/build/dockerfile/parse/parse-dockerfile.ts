/** Parses a Dockerfile's text into stages of typed instructions. Pure: nothing is expanded, looked up or built.
 *  https://docs.docker.com/reference/dockerfile/ */

import type { ArgInstruction, FromInstruction, Instruction } from '../instructions/instruction.ts'
import { type Directives, type EscapeCharacter, parseDirectives } from '../text/directives.ts'
import { type SourceText, sourceText } from '../text/source-text.ts'
import { parseInstruction } from './parse-instruction.ts'
import { readLogicalLines } from './read-lines.ts'

/** A FROM and the instructions after it. */
export interface Stage {
  readonly index: number
  /** In lower case. Undefined when the stage has no name. */
  readonly name?: string
  readonly from: FromInstruction
  readonly instructions: readonly Instruction[]
}

/** A parsed file. */
export interface Dockerfile {
  readonly source: SourceText
  readonly directives: Directives
  /** ARG instructions before the first FROM. */
  readonly globalArgs: readonly ArgInstruction[]
  readonly stages: readonly Stage[]
  /** Gives the stage that a name refers to, when the build renames stages; otherwise the name itself. */
  readonly stageOf?: (name: string) => string
}

/** How a file is parsed. */
export interface ParseOptions {
  /** The file name for messages. Default: "Dockerfile". */
  readonly file?: string
}

/** Parses a Dockerfile. Throws `DockerfileError` for the first faulty instruction. */
export function parseDockerfile(text: string, { file = 'Dockerfile' }: ParseOptions = {}): Dockerfile {
  const source = sourceText(text, file)
  const directives = parseDirectives(source)
  const globalArgs: ArgInstruction[] = []
  const stages: (Stage & { readonly instructions: Instruction[] })[] = []
  const lines = readLogicalLines(source, directives.escape)
  for (const line of lines) {
    const instruction = parseInstruction(line, directives.escape)
    if (instruction.kind === 'FROM') {
      const { stageName } = instruction
      const name = stageName === undefined ? {} : { name: stageName }
      stages.push({ index: stages.length, ...name, from: instruction, instructions: [] })
      continue
    }
    const stage = stages.at(-1)
    if (stage !== undefined) stage.instructions.push(instruction)
    else if (instruction.kind === 'ARG') globalArgs.push(instruction)
    else throw line.error('no build stage in current context')
  }
  const last = lines.at(-1)
  if (stages.length === 0 && last !== undefined) throw last.error('dockerfile contains no stages to build')
  return { source, directives, globalArgs, stages }
}

/** Parses the ONBUILD triggers in a parent image's configuration, in order. Throws `DockerfileError`, with file
 *  "ONBUILD", for an instruction that can't be a trigger. */
export function parseTriggers(triggers: readonly string[], escaper: EscapeCharacter = '\\'): readonly Instruction[] {
  return triggers.flatMap((trigger) =>
    readLogicalLines(sourceText(trigger, 'ONBUILD'), escaper).map((line) => {
      const instruction = parseInstruction(line, escaper)
      if (instruction.kind === 'FROM' || instruction.kind === 'ONBUILD' || instruction.kind === 'MAINTAINER') {
        throw line.error(`${instruction.kind} isn't allowed as an ONBUILD trigger`)
      }
      return instruction
    }),
  )
}
