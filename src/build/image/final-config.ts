/** The configuration of the image that a stage is. Pure. */
import type { BuildRequest } from '../../api/index.ts'
import { formatNs, nowNs } from '../../base/index.ts'
import type { OciImageConfig } from '../../oci/index.ts'
import type { StageImage } from '../dockerfile/index.ts'
import type { StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'

/** `state`: what is built so far; `image`: the configuration at that point. */
export function configOf(
  { platform }: StageToBuild,
  state: StageState,
  { config, author }: StageImage,
  { labels, buildArgs }: Pick<BuildRequest, 'labels' | 'buildArgs'>,
): OciImageConfig {
  // In the order of their names: BuildKit's clients send labels in another one each time, and the same build is to be the
  // same image.
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
