/** Finds the stages that a target needs, and an order in which they can be built. */
import { invalidArgument } from '../../../base/index.ts'
import type { Platform } from '../../../oci/index.ts'
import type { Instruction } from '../instructions/instruction.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import { nearestWord } from '../text/suggest.ts'
import { evaluateGlobals, evaluationError, type GlobalScope } from './global-scope.ts'
import { referencesOf, resolveFrom, resolveReference, type StageSource } from './stage-references.ts'

/** What is to be built. */
export interface PlanOptions {
  /** Names or indexes of stages. Default: the last stage. */
  readonly target?: string | readonly string[]
  /** From `evaluateGlobals`. Default: a scope without build arguments. */
  readonly scope?: GlobalScope
  /** The triggers of a stage's parent image (`parseTriggers`), once they are known. */
  readonly triggers?: (stage: Stage) => readonly Instruction[]
}

/** A stage and what it needs. */
export interface PlannedStage {
  readonly stage: Stage
  readonly base: StageSource
  /** From `FROM --platform`. */
  readonly platform?: Platform
  /** Indexes, ascending, of the stages that must be built first: because of FROM, COPY --from or mounts. */
  readonly needs: readonly number[]
  /** External names (images, named contexts) that it copies or mounts from. */
  readonly external: readonly string[]
}

/** What is built, and in which order. */
export interface StagePlan {
  /** The requested stages, in the order of the request. */
  readonly targets: readonly PlannedStage[]
  /** All needed stages. Each comes after those that it needs. */
  readonly stages: readonly PlannedStage[]
  /** The stages that are not needed. */
  readonly skipped: readonly Stage[]
}

/** Plans a build. Throws `invalidArgument` for an unknown target, `DockerfileError` for references that are invalid or
 *  form a cycle. */
export function planStages(dockerfile: Dockerfile, options: PlanOptions = {}): StagePlan {
  const scope = options.scope ?? evaluateGlobals(dockerfile)
  const all = dockerfile.stages.map((stage) => planStage(dockerfile, stage, scope, options.triggers))
  refuseCycles(dockerfile, all)
  const wanted = options.target === undefined || options.target === '' ? [] : [options.target].flat()
  const names = wanted.length === 0 ? [String(all.length - 1)] : wanted
  const targets = names.map((name) => planned(all, findTarget(dockerfile, name)))
  const order = new Set<PlannedStage>()
  const visit = (one: PlannedStage) => {
    if (order.has(one)) return
    for (const index of one.needs) visit(planned(all, index))
    order.add(one)
  }
  for (const target of targets) visit(target)
  return {
    targets,
    stages: [...order],
    skipped: all.filter((one) => !order.has(one)).map((one) => one.stage),
  }
}

function planStage(
  dockerfile: Dockerfile,
  stage: Stage,
  scope: GlobalScope,
  triggersOf: PlanOptions['triggers'],
): PlannedStage {
  const { base, platform } = resolveFrom(dockerfile, stage, scope)
  const needs = new Set<number>(base.kind === 'stage' ? [base.index] : [])
  const external = new Set<string>()
  const triggers = triggersOf?.(stage) ?? inheritedTriggers(dockerfile, base)
  for (const instruction of [...triggers, ...stage.instructions]) {
    for (const reference of referencesOf(instruction)) {
      const source = resolveReference(dockerfile, instruction, reference)
      if (source.kind === 'stage') needs.add(source.index)
      if (source.kind === 'external') external.add(source.name)
    }
  }
  return {
    stage,
    base,
    ...(platform === undefined ? {} : { platform }),
    needs: [...needs].sort((a, b) => a - b),
    external: [...external],
  }
}

/** The ONBUILD instructions of a stage in the same file, which are known before anything is built. */
function inheritedTriggers(dockerfile: Dockerfile, base: StageSource): readonly Instruction[] {
  if (base.kind !== 'stage') return []
  const instructions = dockerfile.stages[base.index]?.instructions ?? []
  return instructions.flatMap((one) => (one.kind === 'ONBUILD' ? [one.instruction] : []))
}

function refuseCycles(dockerfile: Dockerfile, all: readonly PlannedStage[]): void {
  const done = new Set<number>()
  const path = new Set<number>()
  const visit = (index: number) => {
    if (done.has(index)) return
    const { stage, needs } = planned(all, index)
    if (path.has(index)) {
      const circle = [...path].slice([...path].indexOf(index))
      const name = stage.from.stageNameAsWritten ?? String(index)
      const line = referringLine(dockerfile, stage, circle[1] ?? index)
      throw evaluationError(line, `circular dependency detected on stage: ${name}`)
    }
    path.add(index)
    for (const need of needs) visit(need)
    path.delete(index)
    done.add(index)
  }
  for (const { stage } of all) visit(stage.index)
}

/** The line because of which a stage needs another one. */
function referringLine(dockerfile: Dockerfile, stage: Stage, needed: number): LogicalLine {
  const refersTo = (instruction: Instruction) =>
    referencesOf(instruction).some((reference) => {
      const source = resolveReference(dockerfile, instruction, reference)
      return source.kind === 'stage' && source.index === needed
    })
  return (stage.instructions.find(refersTo) ?? stage.from).line
}

function findTarget(dockerfile: Dockerfile, name: string): number {
  const named = dockerfile.stages.findLast((stage) => stage.name === name.toLowerCase())
  if (named !== undefined) return named.index
  if (/^\d+$/.test(name) && dockerfile.stages[Number(name)] !== undefined) return Number(name)
  const nearest = nearestWord(
    name,
    dockerfile.stages.map((stage) => stage.name).filter((one) => one !== undefined),
  )
  const hint = nearest === undefined ? '' : ` (did you mean ${nearest}?)`
  throw invalidArgument(`target stage ${JSON.stringify(name)} could not be found${hint}`)
}

function planned(all: readonly PlannedStage[], index: number): PlannedStage {
  const found = all[index]
  if (found === undefined) throw invalidArgument('dockerfile contains no stages to build')
  return found
}
