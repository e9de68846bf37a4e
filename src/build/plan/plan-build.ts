/** Plans a build: from a parsed Dockerfile to stages with everything that can be known before the first step runs. */
import type { BuildRequest } from '../../api/index.ts'
import type { Image } from '../../images/index.ts'
import {
  formatPlatform,
  hostPlatform,
  type OciRuntimeDefaults,
  type Platform,
  parsePlatform,
  platformRank,
} from '../../oci/index.ts'
import {
  type Dockerfile,
  type EvaluatedStage,
  evaluateGlobals,
  evaluateStage,
  type ForeignBase,
  type GlobalScope,
  type Instruction,
  initialImage,
  type PlannedStage,
  parseTriggers,
  planStages,
  type StagePlan,
} from '../dockerfile/index.ts'
import type { BaseImages } from '../image/base-images.ts'
import { emptyStage, type StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'

/** The plan of a build for one platform. */
export interface PlannedBuild {
  readonly scope: GlobalScope
  readonly plan: StagePlan
  readonly stages: ReadonlyMap<number, StageToBuild>
  /** Configurations of base images, by the names in FROM. */
  readonly baseConfigs: ReadonlyMap<string, OciRuntimeDefaults>
  readonly foreignBases: readonly ForeignBase[]
}

/** The platforms of a request without duplicates. The host's platform when the request names none. */
export function platformsOf({ platforms = [] }: BuildRequest): readonly Platform[] {
  const wanted = platforms.filter((text) => text !== '').map(parsePlatform)
  const byName = new Map(wanted.map((platform) => [formatPlatform(platform), platform]))
  return byName.size === 0 ? [hostPlatform()] : [...byName.values()]
}

/** Evaluates the arguments before the first FROM for a build for that platform. */
export function scopeOf(dockerfile: Dockerfile, request: BuildRequest, targetPlatform: Platform): GlobalScope {
  const [first] = request.targets
  return evaluateGlobals(dockerfile, {
    buildArgs: request.buildArgs,
    buildPlatform: hostPlatform(),
    targetPlatform,
    ...(first?.name === undefined || first.name === '' ? {} : { target: first.name }),
  })
}

/** Finds the stages that the targets need, loads their base images, and evaluates every instruction. */
export async function planBuild(
  dockerfile: Dockerfile,
  request: BuildRequest,
  scope: GlobalScope,
  bases: BaseImages,
): Promise<PlannedBuild> {
  const target = request.targets.map(({ name }) => name ?? String(dockerfile.stages.length - 1))
  const first = planStages(dockerfile, { target, scope })
  const images = await loadBases(first, scope, bases)
  const triggers = ({ index }: { readonly index: number }): readonly Instruction[] =>
    parseTriggers(images.get(index)?.config.config?.OnBuild ?? [])
  const plan = planStages(dockerfile, { target, scope, triggers })
  // Triggers (ONBUILD) may need stages that no other instruction refers to.
  for (const [index, image] of await loadBases(plan, scope, bases)) images.set(index, image)
  const foreign = foreignBases(plan, scope, images)
  const stages = new Map<number, StageToBuild>()
  const evaluated = new Map<number, EvaluatedStage>()
  for (const planned of plan.stages) {
    const { index } = planned.stage
    const parent = parentOf(planned, images.get(index), evaluated, contextTriggers(planned.base, bases))
    const result = evaluateStage(planned.stage, { scope, base: parent, escape: dockerfile.directives.escape })
    evaluated.set(index, result)
    stages.set(index, {
      planned,
      number: index,
      evaluated: result,
      platform: foreign.find(({ stage }) => stage.index === index)?.pulled ?? platformOf(planned, scope, stages),
      base: planned.base.kind === 'stage' ? { stage: planned.base.index } : baseOf(images.get(index)),
      noCache: request.noCache || (request.noCacheFilter ?? []).some((name) => isCalled(planned, name)),
    })
  }
  return { scope, plan, stages, baseConfigs: configsOf(plan, images), foreignBases: foreign }
}

function configsOf(plan: StagePlan, images: ReadonlyMap<number, Image>): ReadonlyMap<string, OciRuntimeDefaults> {
  const found = new Map<string, OciRuntimeDefaults>()
  for (const { stage, base } of plan.stages) {
    const image = images.get(stage.index)
    if (base.kind === 'external' && image !== undefined) found.set(base.name, image.config.config ?? {})
  }
  return found
}

/** Base images that were only available for another platform than wanted. */
function foreignBases(plan: StagePlan, scope: GlobalScope, images: ReadonlyMap<number, Image>): readonly ForeignBase[] {
  return plan.stages.flatMap(({ stage, base, platform }) => {
    const pulled = images.get(stage.index)?.platform
    const expected = platform ?? scope.targetPlatform
    if (base.kind !== 'external' || pulled === undefined || platformRank(expected, pulled) !== undefined) return []
    return [{ stage, name: base.name, pulled, expected }]
  })
}

/** A stage based on another stage has the platform of that stage. */
function platformOf(
  { base, platform }: PlannedStage,
  scope: GlobalScope,
  stages: ReadonlyMap<number, StageToBuild>,
): Platform {
  const below = base.kind === 'stage' ? stages.get(base.index)?.platform : undefined
  return below ?? platform ?? scope.targetPlatform
}

async function loadBases(plan: StagePlan, scope: GlobalScope, bases: BaseImages): Promise<Map<number, Image>> {
  const images = new Map<number, Image>()
  await Promise.all(
    plan.stages.map(async ({ stage, base, platform }) => {
      if (base.kind !== 'external' || contextTriggers(base, bases).length > 0) return
      images.set(stage.index, await bases.get(base.name, platform ?? scope.targetPlatform))
    }),
  )
  return images
}

/** A stage whose FROM names a context of files starts with a COPY of them, as if a base image had that trigger. */
function contextTriggers(base: PlannedStage['base'], bases: BaseImages): readonly string[] {
  return base.kind === 'external' ? bases.triggersFor(base.name) : []
}

function parentOf(
  { base }: PlannedStage,
  image: Image | undefined,
  evaluated: ReadonlyMap<number, EvaluatedStage>,
  triggers: readonly string[],
): Parameters<typeof evaluateStage>[1]['base'] {
  if (base.kind === 'stage') {
    const parent = evaluated.get(base.index)
    const author = parent?.image.author
    return {
      config: parent?.image.config,
      args: parent?.args ?? new Map(),
      ...(author === undefined ? {} : { author }),
    }
  }
  if (image === undefined) {
    return { config: triggers.length === 0 ? undefined : { ...initialImage(undefined).config, OnBuild: triggers } }
  }
  const config: OciRuntimeDefaults = image.config.config ?? {}
  const { author } = image.config
  return { config, ...(author === undefined || author === '' ? {} : { author }) }
}

function baseOf(image: Image | undefined): StageToBuild['base'] {
  return { state: stateOf(image), ...(image === undefined ? {} : { image: image.id }) }
}

function stateOf(image: Image | undefined): StageState {
  if (image === undefined) return emptyStage
  const { layers, config, id } = image
  return { layers, history: config.history ?? [], created: config.created, image: id }
}

function isCalled({ stage }: PlannedStage, name: string): boolean {
  return stage.name === name.toLowerCase() || String(stage.index) === name
}
