/** WORKDIR: creates the directory and its parents, as a layer. */
import { makeLayer } from '../layer/make-layer.ts'
import { resolveOwner } from '../run/user-files.ts'
import { inputsOf, layerStep, type StepLayer } from './layer-step.ts'
import type { StepPlace } from './step-place.ts'

/** Runs a WORKDIR. */
export async function workdirStep(place: StepPlace): Promise<StepLayer> {
  const { run, step, state } = place
  const path = step.after.config.WorkingDir ?? '/'
  const user = step.before.config.User ?? ''
  return await layerStep(place, {
    inputs: inputsOf(place, 'WORKDIR', { path, user }),
    make: () =>
      makeLayer(run.parts, { below: state.layers, holds: run.holds, latestNs: run.latestNs }, async ({ rootfs }) => {
        const owner = user === '' ? {} : { owner: resolveOwner(user, rootfs) }
        const job = { root: rootfs, destination: `${path}/`, groups: [], onlyDirectory: true, ...owner }
        await run.parts.workers.run({ kind: 'write', job })
        return undefined
      }),
  })
}
