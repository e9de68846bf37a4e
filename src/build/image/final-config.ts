/** The image configuration of a stage. Pure. */
import type { BuildRequest } from '../../api/index.ts'
import { formatNs, nowNs } from '../../base/index.ts'
import type { OciImageConfig } from '../../oci/index.ts'
import type { StageImage } from '../dockerfile/index.ts'
import type { StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'

/** Makes the configuration. `state` is what the stage has built so far, the third parameter its configuration at that
 *  point. */
export function configOf(
  { platform }: StageToBuild,
  state: StageState,
  { config, author }: StageImage,
  { labels, buildArgs }: Pick<BuildRequest, 'labels' | 'buildArgs'>,
): OciImageConfig {
  // Sorted by name: BuildKit's clients send labels in a different order each time, and equal builds must give equal
  // images.
  const all = Object.entries({ ...config.Labels, ...labels }).sort(([one], [other]) => (one < other ? -1 : 1))
  const withLabels = all.length === 0 ? config : { ...config, Labels: Object.fromEntries(all) }
  const epoch = buildArgs.SOURCE_DATE_EPOCH
  const isEpoch = epoch !== undefined && /^\d{1,12}$/.test(epoch)
  const created = isEpoch ? formatNs(BigInt(epoch) * 1_000_000_000n) : (state.created ?? formatNs(nowNs()))
  return {
    architecture: platform.architecture,
    ...(author === undefined ? {} : { author }),
    config: withLabels,
    created,
    history: state.history.map((entry) => ({ ...entry, ...(entry.created === undefined ? { created } : {}) })),
    os: platform.os,
    rootfs: { type: 'layers', diff_ids: state.layers.map(({ diffId }) => diffId) },
    ...(platform.variant === undefined ? {} : { variant: platform.variant }),
  }
}
