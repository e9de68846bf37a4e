/** What checks need to know of a stage, found without building anything: its parents' configurations may be unknown. */
import type { OciRuntimeDefaults } from '../../../oci/index.ts'
import type { Dockerfile, Stage } from '../parse/parse-dockerfile.ts'
import { type EvaluatedStage, evaluateStage, type Step } from '../stages/evaluate-stage.ts'
import type { GlobalScope } from '../stages/global-scope.ts'
import { type ResolvedFrom, resolveFrom } from '../stages/stage-references.ts'
import { DockerfileError } from '../text/dockerfile-error.ts'

/** A stage, and as much of its evaluation as is possible. */
export interface StageFacts {
  readonly stage: Stage
  readonly from: ResolvedFrom
  readonly steps: readonly Step[]
  /** All variables that its parents set are known. */
  readonly baseIsKnown: boolean
  /** A stage before it that it is based on. */
  readonly parent?: StageFacts
}

/** The configuration of an image outside of the Dockerfile, if it is known. */
export type BaseConfigs = (name: string) => OciRuntimeDefaults | undefined

/** Facts of all stages, in order. Throws `DockerfileError` for what no build could do. */
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
    // With a parent's variables it may work, so this is no news before they are known.
    if (error instanceof DockerfileError && !baseIsKnown) return undefined
    throw error
  }
}
