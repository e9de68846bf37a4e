/** Shares stages between the platforms of a build, so that what does not depend on the platform is built once. Two
 *  stages are the same when they have the same platform, image or stage below, stages to copy from, and values of all
 *  variables they read. */
import { hash } from 'node:crypto'
import { formatPlatform } from '../../oci/index.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'
import type { PlannedBuild } from './plan-build.ts'

/** Gives the plans with one object for equal stages. Each distinct stage gets a number of its own. */
export function shareStages(plans: readonly PlannedBuild[]): readonly PlannedBuild[] {
  if (plans.length < 2) return plans
  const known = new Map<string, StageToBuild>()
  return plans.map((one) => {
    const keys = new Map<number, string>()
    const stages = new Map<number, StageToBuild>()
    // Stages are in plan order, so everything that a stage needs comes before it.
    for (const [index, stage] of one.stages) {
      const key = keyOf(stage, keys)
      keys.set(index, key)
      const shared = known.get(key) ?? { ...stage, number: known.size, shownPlatform: shownPlatform(stage, one) }
      known.set(key, shared)
      stages.set(index, shared)
    }
    return { ...one, stages }
  })
}

function keyOf({ planned, evaluated, platform, base }: StageToBuild, keys: ReadonlyMap<number, string>): string {
  const { steps, args, image } = evaluated
  const below = 'stage' in base ? keys.get(base.stage) : (base.image ?? 'scratch')
  const facts = [
    planned.stage.index,
    formatPlatform(platform),
    below,
    planned.needs.map((index) => keys.get(index)),
    steps.map(({ uses, environment, command }) => [uses, environment, command]),
    [...args],
    image,
  ]
  return hash('sha256', JSON.stringify(facts), 'hex')
}

/** The platform as clients show it. A stage that cross-builds shows both: `linux/amd64->arm64`. */
function shownPlatform({ platform, evaluated }: StageToBuild, { scope }: PlannedBuild): string {
  const own = formatPlatform(platform)
  const target = scope.targetPlatform
  const isCross = ['TARGETPLATFORM', 'TARGETARCH'].some((name) => evaluated.args.has(name))
  if (!isCross || own === formatPlatform(target)) return own
  return `${own}->${target.os === platform.os ? formatPlatform(target).slice(target.os.length + 1) : formatPlatform(target)}`
}
