/** `--squash`: merges the layers that a build added to its base into one. */
import { decompress, packEntries, readTar, type TarMember, type TarMemberInput } from '../../../archive/index.ts'
import { BerthError, internal } from '../../../base/index.ts'
import { type Holds, type ImageParts, newStreamIngestKey } from '../../../images/index.ts'
import { chainIds, type Digest, digestOf, mediaTypes, type OciHistoryEntry } from '../../../oci/index.ts'
import type { BuiltImage, BuiltLayer } from '../../model/built-image.ts'
import { entryPath, SquashPlan } from './squash-plan.ts'

/** Gives the image with one layer instead of those that have keys, or the image itself when it has no more than one.
 *  `holds` keeps what is made. */
export async function squashImage(
  parts: ImageParts,
  holds: Holds,
  image: BuiltImage,
  { signal }: { readonly signal: AbortSignal },
): Promise<BuiltImage> {
  const first = image.layers.findIndex(({ key }) => key !== undefined)
  const base = first === -1 ? image.layers : image.layers.slice(0, first)
  const own = image.layers.slice(base.length)
  if (own.length < 2) return image
  const layer = await storeLayer(parts, holds, base, squashed(parts, own), signal)
  const layers = [...base, layer]
  return { ...image, layers, config: configOf(image, base, layers) }
}

/** The merged layer's tar. Directories come first, because their contents may come from an earlier layer. */
async function* squashed({ content }: ImageParts, layers: readonly BuiltLayer[]): AsyncIterable<TarMemberInput> {
  const plan = new SquashPlan()
  for (const [index, layer] of layers.entries()) {
    for await (const { entry } of entriesOf(content, layer)) plan.add(index, entry)
  }
  const directories: TarMemberInput[] = []
  for (const [index, layer] of layers.entries()) {
    for await (const { entry } of entriesOf(content, layer)) {
      if (entry.type === 'directory' && plan.isLeft(index, entryPath(entry))) directories.push({ entry })
    }
  }
  yield* directories.sort((a, b) => (a.entry.path < b.entry.path ? -1 : 1))
  for (const path of plan.marks()) yield { entry: { type: 'file', path, mode: 0 }, body: Buffer.alloc(0) }
  for (const [index, layer] of layers.entries()) {
    for await (const member of entriesOf(content, layer)) yield* leftOf(plan, index, member)
  }
}

async function* entriesOf(content: ImageParts['content'], { blob }: BuiltLayer): AsyncIterable<TarMember> {
  const { data } = await decompress(content.open(blob.digest) as AsyncIterable<Buffer>)
  yield* readTar(data)
}

/** What remains of an entry that is not a directory. */
function* leftOf(plan: SquashPlan, index: number, { entry, body }: TarMember): Iterable<TarMemberInput> {
  if (entry.type === 'directory') return
  const { sparse: _sparse, ...plain } = entry
  const path = entryPath(entry)
  if (plan.isLeft(index, path)) {
    // The target of this hard link was replaced. Then the old content was already written at the link's own path.
    const isOrphan = entry.type === 'link' && !plan.isLeft(index, entryPath({ path: entry.linkPath }))
    if (!isOrphan) yield entry.type === 'file' ? { entry: plain, body } : { entry: plain }
    return
  }
  const [heir, ...others] = plan.orphansOf(index, path)
  if (heir === undefined) return
  yield { entry: { ...plain, path: heir }, body }
  for (const other of others) yield { entry: { ...plain, type: 'link', path: other, linkPath: heir, sizeBytes: 0 } }
}

async function storeLayer(
  { content, layers, pool }: ImageParts,
  holds: Holds,
  base: readonly BuiltLayer[],
  members: AsyncIterable<TarMemberInput>,
  signal: AbortSignal,
): Promise<BuiltLayer> {
  const ingest = await content.ingest(newStreamIngestKey())
  let blob: { readonly digest: Digest; readonly sizeBytes: number }
  try {
    for await (const chunk of packEntries(members)) {
      if (signal.aborted) throw new BerthError('cancelled', 'context canceled')
      ingest.write(chunk)
    }
    blob = await ingest.commit()
  } catch (error) {
    await ingest.abort()
    throw error
  }
  const diffId = blob.digest
  const chainId = chainIds([...base.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId
  holds.addBlob(diffId)
  holds.addLayer(chainId)
  const staged = await layers.stage()
  const source = { from: 'file', path: content.pathOf(diffId), sizeBytes: blob.sizeBytes } as const
  const { unpacked } = await pool
    .run({ source, targetDir: staged.directory }, { signal })
    .catch(async (error: unknown) => {
      await layers.unstage(staged)
      throw error
    })
  if (unpacked === undefined) throw internal('a squashed layer was not unpacked')
  await layers.commit(staged, { chainId, parent: base.at(-1)?.chainId }, unpacked)
  const descriptor = { mediaType: mediaTypes.ociLayer, digest: diffId, size: blob.sizeBytes }
  return { diffId, chainId, blob: descriptor, sizeBytes: unpacked.sizeBytes }
}

/** Keeps the steps in the history as entries without layers, and adds an entry for the merged layer, as Docker does. */
function configOf(
  { config }: BuiltImage,
  base: readonly BuiltLayer[],
  layers: readonly BuiltLayer[],
): BuiltImage['config'] {
  let seen = 0
  const history = (config.history ?? []).map((entry): OciHistoryEntry => {
    if (entry.empty_layer === true) return entry
    seen += 1
    return seen > base.length ? { ...entry, empty_layer: true } : entry
  })
  const [from, to] = [digestOf(JSON.stringify(config)), base.at(-1)?.chainId ?? '']
  const merge = {
    ...(config.created === undefined ? {} : { created: config.created }),
    comment: `merge ${from} to ${to}`,
  }
  return {
    ...config,
    history: [...history, merge],
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  }
}
