/** Rules about what instructions do in their stage: variables, directories, files. */
import type { Instruction } from '../instructions/instruction.ts'
import { remoteSource } from '../instructions/remote-source.ts'
import { hasWildcard } from '../paths/path-segment.ts'
import { environmentOf } from '../stages/stage-variables.ts'
import { didYouMean, nearestWord } from '../text/suggest.ts'
import type { CheckContext, Rule, Violation } from './rule.ts'
import type { StageFacts } from './stage-facts.ts'

const secretWords = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i
const publicWords = /(?:_|^)public(?:_|$)/i

/** Rules that need an evaluated stage. */
export const stageRules: readonly Rule[] = [
  {
    name: 'WorkdirRelativePath',
    description:
      'Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes',
    find: ({ stages }) => stages.flatMap(relativeDirectories),
  },
  {
    name: 'UndefinedVar',
    description: 'Variables should be defined before their use',
    find: ({ stages }) => stages.flatMap(undefinedVariables),
  },
  {
    name: 'SecretsUsedInArgOrEnv',
    description: 'Sensitive data should not be used in the ARG or ENV commands',
    find: ({ dockerfile }) =>
      [...dockerfile.globalArgs, ...dockerfile.stages.flatMap((stage) => stage.instructions)].flatMap(secretNames),
  },
  {
    name: 'CopyIgnoredFile',
    description: 'Attempting to Copy file that is excluded by .dockerignore',
    find: (context) =>
      context.stages.flatMap(({ steps }) => steps.flatMap((step) => ignoredSources(context, step.instruction))),
  },
]

function relativeDirectories(facts: StageFacts): readonly Violation[] {
  let known = false
  for (let one = facts.parent; one !== undefined && !known; one = one.parent) known = one.steps.some(setsDirectory)
  return facts.steps.flatMap((step) => {
    const { instruction } = step
    known ||= setsDirectory(step)
    if (instruction.kind !== 'WORKDIR' || known) return []
    const { text, offset } = instruction.text
    const message = `Relative workdir '${text}' can have unexpected results if the base image changes`
    return [{ line: instruction.line, message, offset }]
  })
}

function setsDirectory({ instruction }: { readonly instruction: Instruction }): boolean {
  return instruction.kind === 'WORKDIR' && instruction.text.text.startsWith('/')
}

/** Undefined variables. With an unknown parent, only names that look like a misspelled known name are reported. */
function undefinedVariables(facts: StageFacts): readonly Violation[] {
  const declared = new Set<string>()
  for (let one: StageFacts | undefined = facts.parent; one !== undefined; one = one.parent) {
    for (const { instruction } of one.steps) declare(instruction, declared)
  }
  return facts.steps.flatMap(({ instruction, undefinedNames, before, triggered }) => {
    const known = new Set([...environmentOf(before.config).keys(), ...declared])
    declare(instruction, declared)
    if (triggered) return []
    return undefinedNames
      .filter((name) => /^\w/.test(name) && !known.has(name))
      .filter((name) => facts.baseIsKnown || nearestWord(name, known) !== undefined)
      .map((name) => ({
        line: instruction.line,
        message: `Usage of undefined variable '$${name}'${didYouMean(name, known, (one) => `$${one}`)}`,
      }))
  })
}

function declare(instruction: Instruction, names: Set<string>): void {
  if (instruction.kind === 'ARG') for (const { name } of instruction.args) names.add(name)
}

function secretNames(instruction: Instruction): readonly Violation[] {
  const named =
    instruction.kind === 'ARG'
      ? instruction.args
      : instruction.kind === 'ENV'
        ? instruction.pairs.map(({ key, offset }) => ({ name: key, offset }))
        : []
  return named
    .filter(({ name }) => secretWords.test(name) && !publicWords.test(name))
    .map(({ name, offset }) => ({
      line: instruction.line,
      message: `Do not use ARG or ENV instructions for sensitive data (${instruction.kind} "${name}")`,
      offset,
    }))
}

function ignoredSources({ ignore }: CheckContext, instruction: Instruction): readonly Violation[] {
  if (ignore === undefined || (instruction.kind !== 'COPY' && instruction.kind !== 'ADD')) return []
  if (instruction.kind === 'COPY' && instruction.from !== undefined) return []
  const verb = instruction.kind === 'COPY' ? 'Copy' : 'Add'
  return instruction.sources.flatMap((source) => {
    if (source.kind !== 'path' || remoteSource(source.path) !== undefined || hasWildcard(source.path)) return []
    const place = ignore.at(source.path)
    // A directory with an exception in it can be copied.
    if (!place.ignored || place.worthEntering) return []
    const message = `Attempting to ${verb} file "${source.path}" that is excluded by .dockerignore`
    return [{ line: instruction.line, message, offset: source.offset }]
  })
}
