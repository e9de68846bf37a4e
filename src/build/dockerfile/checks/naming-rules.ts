/** Rules about names and letter case. */
import type { Instruction } from '../instructions/instruction.ts'
import type { Dockerfile } from '../parse/parse-dockerfile.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import type { Rule, Violation } from './rule.ts'

const reservedNames = new Set(['scratch', 'context'])

/** Rules about names and about the case of keywords. */
export const namingRules: readonly Rule[] = [
  {
    name: 'StageNameCasing',
    description: 'Stage names should be lowercase',
    find: ({ dockerfile }) =>
      dockerfile.stages.flatMap(({ from }) => {
        const name = from.stageNameAsWritten ?? ''
        return name === name.toLowerCase()
          ? []
          : [{ line: from.line, message: `Stage name '${name}' should be lowercase` }]
      }),
  },
  {
    name: 'FromAsCasing',
    description: "The 'as' keyword should match the case of the 'from' keyword",
    find: ({ dockerfile }) =>
      dockerfile.stages.flatMap(({ from }) => {
        const { as, keyword, line } = from
        if (as === undefined || !differs(keyword, as)) return []
        return [{ line, message: `'${as}' and '${keyword}' keywords' casing do not match` }]
      }),
  },
  {
    name: 'ConsistentInstructionCasing',
    description: 'All commands within the Dockerfile should use the same casing (either upper or lower)',
    find: ({ dockerfile }) => inconsistentKeywords(dockerfile),
  },
  {
    name: 'DuplicateStageName',
    description: 'Stage names should be unique',
    find: ({ dockerfile }) =>
      dockerfile.stages.flatMap(({ name, index, from }) => {
        const isFirst = dockerfile.stages.findIndex((one) => one.name === name) === index
        if (name === undefined || isFirst) return []
        return [{ line: from.line, message: `Duplicate stage name '${name}', stage names should be unique` }]
      }),
  },
  {
    name: 'ReservedStageName',
    description: 'Reserved words should not be used as stage names',
    find: ({ dockerfile }) =>
      dockerfile.stages.flatMap(({ name, from }) => {
        if (name === undefined || !reservedNames.has(name)) return []
        return [{ line: from.line, message: `'${name}' is reserved and should not be used as a stage name` }]
      }),
  },
]

/** True when the keyword is all in lower or all in upper case, and `as` is not in the same case. */
function differs(keyword: string, as: string): boolean {
  if (keyword === keyword.toLowerCase()) return as !== as.toLowerCase()
  return keyword === keyword.toUpperCase() && as !== as.toUpperCase()
}

function inconsistentKeywords(dockerfile: Dockerfile): readonly Violation[] {
  const all = allInstructions(dockerfile)
  const lower = all.filter(({ keyword }) => keyword === keyword.toLowerCase()).length
  const upper = all.filter(({ keyword }) => keyword === keyword.toUpperCase()).length
  const toLower = lower > upper
  return all.flatMap(({ keyword, line }) => {
    if (keyword === (toLower ? keyword.toLowerCase() : keyword.toUpperCase())) return []
    const majority = toLower ? 'lowercase' : 'uppercase'
    return [{ line, message: `Command '${keyword}' should match the case of the command majority (${majority})` }]
  })
}

/** Everything with a keyword, in the order of the file. An ONBUILD and its instruction count as one. */
export function allInstructions(
  dockerfile: Dockerfile,
): readonly { readonly keyword: string; readonly line: LogicalLine }[] {
  const inStages = dockerfile.stages.flatMap<{ keyword: string; line: LogicalLine } | Instruction>((stage) => [
    stage.from,
    ...stage.instructions,
  ])
  return [...dockerfile.globalArgs, ...inStages]
}
