/** Rules about the form of single instructions. */
import type { Instruction, WordsInstruction } from '../instructions/instruction.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import { allInstructions } from './naming-rules.ts'
import type { Rule, Violation } from './rule.ts'

/** Rules that look at one instruction at a time. */
export const formRules: readonly Rule[] = [
  {
    name: 'NoEmptyContinuation',
    description: 'Empty continuation lines will become errors in a future release',
    find: ({ dockerfile }) =>
      allInstructions(dockerfile).flatMap(({ line }) => {
        if (line.emptyContinuation === undefined) return []
        return [{ line, message: `Empty continuation line found in: ${line.text}` }]
      }),
  },
  {
    name: 'JSONArgsRecommended',
    description: 'JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals',
    find: ({ dockerfile }) => dockerfile.stages.flatMap((stage) => shellForms(dockerfile, stage)),
  },
  {
    name: 'MaintainerDeprecated',
    description: 'The MAINTAINER instruction is deprecated, use a label instead to define an image author',
    find: (context) =>
      instructionsOf(context.dockerfile)
        .filter(({ kind }) => kind === 'MAINTAINER')
        .map(({ line }) => ({ line, message: 'Maintainer instruction is deprecated in favor of using label' })),
  },
  {
    name: 'MultipleInstructionsDisallowed',
    description: 'Multiple instructions of the same type should not be used in the same stage',
    find: ({ dockerfile }) => dockerfile.stages.flatMap(overridden),
  },
  {
    name: 'LegacyKeyValueFormat',
    description: 'Legacy key/value format with whitespace separator should not be used',
    // ARG has no such form: `ARG a b` declares two arguments.
    find: ({ dockerfile }) =>
      instructionsOf(dockerfile).flatMap((one) => {
        if ((one.kind !== 'ENV' && one.kind !== 'LABEL') || !one.legacy) return []
        const { kind, line } = one
        return [{ line, message: `"${kind} key=value" should be used instead of legacy "${kind} key value" format` }]
      }),
  },
  {
    name: 'ExposeProtoCasing',
    description: 'Protocol in EXPOSE instruction should be lowercase',
    find: ({ stages }) =>
      stages.flatMap(({ steps }) =>
        steps.flatMap(({ instruction }) =>
          badWords(
            instruction,
            (word) => /\/.*[A-Z]/.test(word),
            (word) => `Defined protocol '${word}' in EXPOSE instruction should be lowercase`,
          ),
        ),
      ),
  },
  {
    name: 'ExposeInvalidFormat',
    description:
      'IP address and host-port mapping should not be used in EXPOSE instruction. This will become an error in a future release',
    find: ({ stages }) =>
      stages.flatMap(({ steps }) =>
        steps.flatMap(({ instruction }) =>
          badWords(
            instruction,
            (word) => word.includes(':'),
            (word) => `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`,
          ),
        ),
      ),
  },
  {
    name: 'InvalidDefinitionDescription',
    description:
      'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.',
    experimental: true,
    find: ({ dockerfile }) => undescribed(dockerfile),
  },
]

function instructionsOf(dockerfile: Dockerfile): readonly Instruction[] {
  return dockerfile.stages.flatMap((stage) => stage.instructions)
}

/** CMD and ENTRYPOINT in shell form, unless a SHELL instruction shows that the shell form is intended. */
function shellForms(dockerfile: Dockerfile, stage: Stage): readonly Violation[] {
  const violations: Violation[] = []
  let shellIsChosen = parents(dockerfile, stage).some((one) => one.instructions.some(({ kind }) => kind === 'SHELL'))
  for (const one of stage.instructions) {
    if (one.kind === 'SHELL') shellIsChosen = true
    if (shellIsChosen || (one.kind !== 'CMD' && one.kind !== 'ENTRYPOINT') || one.command.form === 'exec') continue
    const advice = `JSON arguments recommended for ${one.kind} to prevent unintended behavior related to OS signals`
    violations.push({ line: one.line, message: advice })
  }
  return violations
}

/** The stages that a stage is based on, nearest first, found by their names as written. */
function parents(dockerfile: Dockerfile, stage: Stage): readonly Stage[] {
  const found: Stage[] = []
  let current: Stage | undefined = stage
  while (current !== undefined) {
    const { index, from }: Stage = current
    const wanted = from.image.text.toLowerCase()
    current = dockerfile.stages.slice(0, index).findLast((one) => one.name === wanted)
    if (current !== undefined) found.push(current)
  }
  return found
}

/** All CMD, ENTRYPOINT and HEALTHCHECK instructions of a stage except the last of each. */
function overridden(stage: Stage): readonly Violation[] {
  return stage.instructions.flatMap(({ kind, line }, index) => {
    if (kind !== 'CMD' && kind !== 'ENTRYPOINT' && kind !== 'HEALTHCHECK') return []
    if (!stage.instructions.slice(index + 1).some((later) => later.kind === kind)) return []
    const rule = 'should not be used in the same stage because only the last one will be used'
    return [{ line, message: `Multiple ${kind} instructions ${rule}` }]
  })
}

function badWords(
  instruction: Instruction,
  isBad: (word: string) => boolean,
  message: (word: string) => string,
): readonly Violation[] {
  if (instruction.kind !== 'EXPOSE') return []
  const { words, line }: WordsInstruction = instruction
  return words.filter(({ text }) => isBad(text)).map(({ text, offset }) => ({ line, message: message(text), offset }))
}

/** Comments right above FROM … AS or ARG that do not begin with the name they should describe. */
function undescribed(dockerfile: Dockerfile): readonly Violation[] {
  const message =
    'Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.'
  const named = [
    ...dockerfile.stages.map(({ from }) => ({
      line: from.line,
      names: from.stageNameAsWritten === undefined ? [] : [from.stageNameAsWritten],
    })),
    ...[...dockerfile.globalArgs, ...instructionsOf(dockerfile)].flatMap((one) =>
      one.kind === 'ARG' ? [{ line: one.line, names: one.args.map(({ name }) => name) }] : [],
    ),
  ]
  return named.flatMap(({ line, names }) => {
    const first = line.comments.at(-1)?.split(' ')[0]
    return first === undefined || names.length === 0 || names.includes(first) ? [] : [{ line, message }]
  })
}
