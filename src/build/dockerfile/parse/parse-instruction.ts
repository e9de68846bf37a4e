/** Parses a logical line into a typed instruction, with a table of parsers by keyword. */

import {
  type ArgInstruction,
  type CommandInstruction,
  type FromInstruction,
  type Instruction,
  keywords,
  type OnbuildInstruction,
  type PairsInstruction,
  type ShellInstruction,
  type TextInstruction,
  type WordsInstruction,
} from '../instructions/instruction.ts'
import type { EscapeCharacter } from '../text/directives.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import { didYouMean } from '../text/suggest.ts'
import { ParseContext } from './parse-context.ts'
import { parseAdd, parseCopy } from './parse-copy.ts'
import { parseHealthcheck } from './parse-healthcheck.ts'
import { parseRun } from './parse-run.ts'

/** Parses one instruction. Throws `DockerfileError` with Docker's message, placed at the faulty word. */
export function parseInstruction(line: LogicalLine, escaper: EscapeCharacter): Instruction | FromInstruction {
  const context = new ParseContext(line, escaper)
  const parse = Object.hasOwn(parsers, context.name) ? parsers[context.name] : undefined
  if (parse !== undefined) return parse(context)
  const shown = context.keyword.length > longestShown ? `${context.keyword.slice(0, longestShown)}…` : context.keyword
  throw context.error(`unknown instruction: ${shown}${didYouMean(context.keyword, keywords)}`, 0)
}

/** A file that is not a Dockerfile may have words of any length. */
const longestShown = 100

const parsers: Readonly<Record<string, (context: ParseContext) => Instruction | FromInstruction>> = {
  FROM: parseFrom,
  ARG: parseArg,
  ENV: (context) => parsePairs(context, 'ENV'),
  LABEL: (context) => parsePairs(context, 'LABEL'),
  RUN: parseRun,
  CMD: (context) => parseCommand(context, 'CMD'),
  ENTRYPOINT: (context) => parseCommand(context, 'ENTRYPOINT'),
  COPY: parseCopy,
  ADD: parseAdd,
  EXPOSE: parseExpose,
  VOLUME: parseVolume,
  USER: (context) => parseText(context, 'USER'),
  WORKDIR: (context) => parseText(context, 'WORKDIR'),
  STOPSIGNAL: (context) => parseText(context, 'STOPSIGNAL'),
  MAINTAINER: (context) => parseText(context, 'MAINTAINER'),
  ONBUILD: parseOnbuild,
  HEALTHCHECK: parseHealthcheck,
  SHELL: parseShell,
}

function parseFrom(context: ParseContext): FromInstruction {
  const platform = context.flags({ platform: 'text' }).text('platform')
  const [image, as, name, ...more] = context.words()
  const named = as !== undefined && name !== undefined && as.text.toUpperCase() === 'AS'
  if (image === undefined || more.length > 0 || (as !== undefined && !named)) {
    throw context.error('FROM requires either one or three arguments', as?.offset)
  }
  const parts = { kind: 'FROM', ...context.base, image, ...(platform === undefined ? {} : { platform }) } as const
  if (!named) return parts
  const stageName = name.text.toLowerCase()
  if (!/^[a-z][a-z0-9\-_.]*$/.test(stageName)) {
    throw context.error(
      `invalid name for build stage: ${JSON.stringify(name.text)}, name can't start with a number or contain symbols`,
      name.offset,
    )
  }
  return { ...parts, stageName, stageNameAsWritten: name.text, as: as.text }
}

function parseArg(context: ParseContext): ArgInstruction {
  context.flags()
  const words = context.quotedWords()
  if (words.length === 0) throw context.error('ARG requires at least one argument', 0)
  const args = words.map(({ text, offset }) => {
    const equals = text.indexOf('=')
    if (equals === 0) throw context.error('ARG names can not be blank', offset)
    if (equals === -1) return { name: text, offset }
    return { name: text.slice(0, equals), value: text.slice(equals + 1), offset }
  })
  return { kind: 'ARG', ...context.base, args }
}

/** `KEY=value …`, or the old form `KEY value`. The first word decides which. */
function parsePairs(context: ParseContext, kind: PairsInstruction['kind']): PairsInstruction {
  context.flags()
  const words = context.quotedWords()
  const [first] = words
  if (first === undefined) throw context.error(`${kind} requires at least one argument`, 0)
  if (!first.text.includes('=')) {
    const [, key = '', value = ''] = /^(\S+)\s+([\s\S]*)$/.exec(context.args) ?? []
    if (key === '') throw context.error(`${kind} must have two arguments`)
    return { kind, ...context.base, pairs: [{ key, value, offset: first.offset }], legacy: true }
  }
  const pairs = words.map(({ text, offset }) => {
    const equals = text.indexOf('=')
    if (equals === -1) {
      const word = JSON.stringify(text)
      throw context.error(`Syntax error - can't find = in ${word}. Must be of the form: name=value`, offset)
    }
    if (equals === 0) throw context.error(`${kind} names can not be blank`, offset)
    return { key: text.slice(0, equals), value: text.slice(equals + 1), offset }
  })
  return { kind, ...context.base, pairs, legacy: false }
}

function parseCommand(context: ParseContext, kind: CommandInstruction['kind']): CommandInstruction {
  context.flags()
  return { kind, ...context.base, command: context.command() }
}

function parseExpose(context: ParseContext): WordsInstruction {
  context.flags()
  const words = context.words()
  if (words.length === 0) throw context.error('EXPOSE requires at least one argument', 0)
  return { kind: 'EXPOSE', ...context.base, words }
}

function parseVolume(context: ParseContext): WordsInstruction {
  context.flags()
  const words = context.jsonOrWords().map(({ text, offset }) => ({ text: text.trim(), offset }))
  if (words.length === 0) throw context.error('VOLUME requires at least one argument', 0)
  const empty = words.find((word) => word.text === '')
  if (empty !== undefined) throw context.error('VOLUME specified can not be an empty string', empty.offset)
  return { kind: 'VOLUME', ...context.base, words }
}

function parseText(context: ParseContext, kind: TextInstruction['kind']): TextInstruction {
  context.flags()
  return { kind, ...context.base, text: context.single() }
}

function parseOnbuild(context: ParseContext): OnbuildInstruction {
  context.flags()
  if (context.args === '') throw context.error('ONBUILD requires at least one argument', 0)
  const inner = context.line.rest(context.argsAt)
  const name = (/^\S+/.exec(context.args)?.[0] ?? '').toUpperCase()
  if (name === 'ONBUILD') throw context.error("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (name === 'FROM' || name === 'MAINTAINER') throw context.error(`${name} isn't allowed as an ONBUILD trigger`)
  const instruction = parseInstruction(inner, context.escaper)
  if (instruction.kind === 'FROM') throw context.error("FROM isn't allowed as an ONBUILD trigger")
  const heredocs = context.line.heredocs.map((one) => `\n${one.content}${one.name}`).join('')
  return { kind: 'ONBUILD', ...context.base, trigger: context.args + heredocs, instruction }
}

function parseShell(context: ParseContext): ShellInstruction {
  context.flags()
  const shell = context.json()
  if (context.args === '' || shell?.length === 0) throw context.error('SHELL requires at least one argument', 0)
  if (shell === undefined) throw context.error('SHELL requires the arguments to be in JSON form')
  return { kind: 'SHELL', ...context.base, shell }
}
