/** Puts a layer, known by its blob, on top of other layers than those it was made on. */
import { internal, isKind } from '../../base/index.ts'
import type { Holds } from '../../images/index.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { BuiltLayer } from '../model/built-image.ts'

/** Unpacks the layer's blob as a snapshot on `below`. Throws `dataLoss` when the blob is damaged. */
export async function placeLayer(
  { images }: BuildParts,
  holds: Holds,
  below: readonly BuiltLayer[],
  layer: BuiltLayer,
): Promise<void> {
  holds.addLayer(layer.chainId)
  if (await images.layers.has(layer.chainId)) return
  const staged = await images.layers.stage()
  try {
    const path = images.content.pathOf(layer.blob.digest)
    const source = { from: 'file', path, sizeBytes: layer.blob.size, expected: layer.blob.digest } as const
    const { unpacked } = await images.pool.run({ source, targetDir: staged.directory })
    if (unpacked === undefined) throw internal('a layer was not unpacked')
    await images.layers.commit(staged, { chainId: layer.chainId, parent: below.at(-1)?.chainId }, unpacked)
  } catch (error) {
    if (!isKind(error, 'alreadyExists')) await images.layers.unstage(staged)
    throw error
  }
}
