/** What a Dockerfile accepts and what it can build: `--call=outline` and `--call=targets`. A comment right above a FROM
 *  or ARG that begins with its name is its description. */

import type { Instruction } from '../instructions/instruction.ts'
import type { Dockerfile } from '../parse/parse-dockerfile.ts'
import { evaluateGlobals } from './global-scope.ts'
import { planStages } from './plan-stages.ts'

/** A stage that can be built. */
export interface TargetSummary {
  readonly name: string
  readonly default: boolean
  readonly base: string
  readonly description: string
}

/** What the build of a target accepts. */
export interface Outline {
  readonly target: string
  readonly args: readonly { readonly name: string; readonly value: string; readonly description: string }[]
  readonly secrets: readonly { readonly id: string; readonly required: boolean }[]
  readonly ssh: readonly { readonly id: string; readonly required: boolean }[]
}

/** The stages that can be built: those with a name, and the last one. */
export function targetsOf(dockerfile: Dockerfile): readonly TargetSummary[] {
  const last = dockerfile.stages.length - 1
  return dockerfile.stages
    .filter(({ name, index }) => name !== undefined || index === last)
    .map(({ name = '', index, from }) => ({
      name,
      default: index === last,
      base: from.image.text,
      description: commentAbove(dockerfile, from.line.range.start.line, name),
    }))
}

/** Gives the arguments, secrets and agents that the build of a target accepts. */
export function outlineOf(
  dockerfile: Dockerfile,
  target: string | undefined,
  buildArgs: Readonly<Record<string, string>>,
): Outline {
  const scope = evaluateGlobals(dockerfile, { buildArgs })
  const plan = planStages(dockerfile, { scope, ...(target === undefined ? {} : { target }) })
  const instructions = plan.stages.flatMap(({ stage }) => stage.instructions)
  const args = new Map<string, Outline['args'][number]>()
  for (const instruction of [...dockerfile.globalArgs, ...instructions]) {
    if (instruction.kind !== 'ARG') continue
    for (const { name, value } of instruction.args) {
      if (args.get(name)?.value) continue
      const description = commentAbove(dockerfile, instruction.line.range.start.line, name)
      args.set(name, { name, value: buildArgs[name] ?? value ?? scope.values.get(name) ?? '', description })
    }
  }
  return {
    target: target ?? plan.targets[0]?.stage.name ?? '',
    args: [...args.values()],
    secrets: mountsOf(instructions, 'secret'),
    ssh: mountsOf(instructions, 'ssh'),
  }
}

function mountsOf(instructions: readonly Instruction[], type: 'secret' | 'ssh'): Outline['secrets'] {
  const found = new Map<string, { readonly id: string; readonly required: boolean }>()
  for (const instruction of instructions) {
    if (instruction.kind !== 'RUN') continue
    for (const mount of instruction.mounts) {
      if (mount.type !== type) continue
      const id = mount.id ?? 'default'
      found.set(id, { id, required: mount.required || found.get(id)?.required === true })
    }
  }
  return [...found.values()]
}

function commentAbove({ source }: Dockerfile, line: number, name: string): string {
  const match = /^\s*#\s*(\S+)\s+(.*)$/.exec(source.lines[line - 2] ?? '')
  return name !== '' && match?.[1] === name ? (match[2] ?? '').trim() : ''
}
