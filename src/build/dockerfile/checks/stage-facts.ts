/** Facts about stages for the checks. Nothing is built, so the configurations of parents may be unknown. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import { type EvaluatedStage, evaluateStage, type Step } from '../stages/evaluate-stage.ts'
import type { GlobalScope } from '../stages/global-scope.ts'
import { type ResolvedFrom, resolveFrom } from '../stages/stage-references.ts'
import { DockerfileError } from '../text/dockerfile-error.ts'

/** A stage, evaluated as far as possible. */
export interface StageFacts {
  readonly stage: Stage
  readonly from: ResolvedFrom
  readonly steps: readonly Step[]
  /** True when all variables set by its parents are known. */
  readonly baseIsKnown: boolean
  /** The earlier stage that it is based on. */
  readonly parent?: StageFacts
}

/** Gives the configuration of an external image, or undefined when it is unknown. */
export type BaseConfigs = (name: string) => OciRuntimeDefaults | undefined

/** Gives the facts of all stages, in order. Throws `DockerfileError` for a stage that no build could evaluate. */
export function stageFacts(
  dockerfile: Dockerfile,
  scope: GlobalScope,
  baseConfigs: BaseConfigs,
): readonly StageFacts[] {
  const facts: StageFacts[] = []
  const evaluated: (EvaluatedStage | undefined)[] = []
  for (const stage of dockerfile.stages) {
    const from = resolveFrom(dockerfile, stage, scope)
    const parent = from.base.kind === 'stage' ? facts[from.base.index] : undefined
    const config = from.base.kind === 'external' ? baseConfigs(from.base.name) : undefined
    const baseIsKnown = parent?.baseIsKnown ?? (from.base.kind === 'scratch' || config !== undefined)
    const result = evaluate(stage, from, { dockerfile, scope, baseIsKnown, config, evaluated })
    evaluated.push(result)
    const known = { stage, from, steps: result?.steps ?? [], baseIsKnown }
    facts.push(parent === undefined ? known : { ...known, parent })
  }
  return facts
}

interface EvaluationInput {
  readonly dockerfile: Dockerfile
  readonly scope: GlobalScope
  readonly baseIsKnown: boolean
  readonly config: OciRuntimeDefaults | undefined
  readonly evaluated: readonly (EvaluatedStage | undefined)[]
}

function evaluate(stage: Stage, from: ResolvedFrom, input: EvaluationInput): EvaluatedStage | undefined {
  const { scope, dockerfile, baseIsKnown, evaluated } = input
  const parent = from.base.kind === 'stage' ? evaluated[from.base.index] : undefined
  const fallback = from.base.kind === 'scratch' ? undefined : {}
  const base = {
    config: parent?.image.config ?? input.config ?? fallback,
    ...(parent === undefined ? {} : { args: parent.args }),
  }
  try {
    return evaluateStage(stage, { scope, base, escape: dockerfile.directives.escape })
  } catch (error) {
    // An unknown variable of a parent may be the cause, so this is not reported before the parent is known.
    if (error instanceof DockerfileError && !baseIsKnown) return undefined
    throw error
  }
}
