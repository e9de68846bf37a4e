/** What all steps that make a layer have in common: look the key up in the cache, else make the layer and record it. */
import { hash } from 'node:crypto'
import { isKind, messageOf } from '../../base/index.ts'
import type { Digest } from '../../oci/index.ts'
import type { CacheRecord, StepInputs } from '../cache/cache-record.ts'
import { explainMiss } from '../cache/explain.ts'
import { stepKey } from '../cache/step-key.ts'
import { chainIdOn } from '../layer/make-layer.ts'
import { placeLayer } from '../layer/place-layer.ts'
import type { BuiltLayer } from '../model/built-image.ts'
import type { StepPlace } from './step-place.ts'

/** A step's layer, and whether it came from the cache. */
export interface StepLayer {
  readonly layer: BuiltLayer
  readonly cached: boolean
  readonly createdMs: number
}

/** How `layerStep` finds or makes a layer. */
export interface LayerStepOptions {
  readonly inputs: StepInputs
  /** A key that can be computed without reading the input files. It is looked up first. */
  readonly early?: { readonly key: string; readonly inputs: () => Promise<StepInputs> }
  /** The layer does not depend on the layers below (`--link`). */
  readonly isLinked?: boolean
  /** Makes the layer when no cache has it. */
  make(): Promise<BuiltLayer>
}

/** Finds the step's layer in the cache, or makes it and adds it to the cache. */
export async function layerStep(place: StepPlace, options: LayerStepOptions): Promise<StepLayer> {
  const { run } = place
  const key = stepKey(options.inputs)
  const work = async () => {
    run.host.signal.throwIfAborted()
    const found = (await findStep(place, key)) ?? (await importStep(place, key, options.inputs))
    if (found !== undefined) return found
    if (run.request.explain) explain(place, options.inputs)
    const layer = await options.make()
    const createdMs = Date.now()
    keepStep(place, { key, inputs: options.inputs, layer, createdMs })
    return { layer: { ...layer, key }, cached: false, createdMs }
  }
  return await run.parts.stepLocks.run(key, work, run.host)
}

/** Looks a key up in the cache, and puts the layer on the layers below. Undefined when the cache lacks it. */
export async function findStep(place: StepPlace, key: string): Promise<StepLayer | undefined> {
  const { run, stage, state } = place
  if (stage.noCache) return undefined
  const record = await run.parts.cache.find(key, run.holds)
  if (record === undefined) return undefined
  run.parts.cache.noteAt(slotOf(place), record)
  const { diffId, blob, sizeBytes, createdMs } = record
  const chainId = chainIdOn(state.layers, diffId)
  const layer = { diffId, chainId, blob, sizeBytes, key: record.of ?? key }
  if (chainId === record.chainId) return { layer, cached: true, createdMs }
  try {
    await placeLayer(run.parts, run.holds, state.layers, layer)
  } catch (error) {
    if (isKind(error, 'dataLoss')) return undefined
    throw error
  }
  return { layer, cached: true, createdMs }
}

/** Looks a key up in the imported caches. A layer found there becomes a record of the own cache. */
async function importStep(place: StepPlace, key: string, inputs: StepInputs): Promise<StepLayer | undefined> {
  const { run, stage, state } = place
  const found = stage.noCache ? undefined : run.imported.find(key)
  if (found === undefined) return undefined
  const { diffId, blob } = found
  const chainId = chainIdOn(state.layers, diffId)
  run.holds.addBlob(blob.digest)
  try {
    await run.imported.fetch(key)
    await placeLayer(run.parts, run.holds, state.layers, { diffId, chainId, blob, sizeBytes: 0, key })
  } catch (error) {
    // The step can still be run.
    if (run.host.signal.aborted) throw error
    place.vertex.log(2, `WARNING: the cached layer can't be used: ${messageOf(error)}\n`)
    return undefined
  }
  const layer = { diffId, chainId, blob, sizeBytes: await run.parts.images.layers.sizeOf(chainId), key }
  const createdMs = Date.now()
  keepStep(place, { key, inputs, layer, createdMs })
  return { layer, cached: true, createdMs }
}

/** Adds the record of a step to the cache. */
export function keepStep(
  place: StepPlace,
  made: {
    readonly key: string
    readonly inputs: StepInputs | undefined
    readonly layer: BuiltLayer
    readonly createdMs: number
    /** Makes the record an alias of the record with this key. */
    readonly of?: string | undefined
  },
): void {
  const { layer, createdMs, of } = made
  const parent = place.state.layers.at(-1)?.chainId
  const record: CacheRecord = {
    version: 1,
    key: made.key,
    slot: slotOf(place),
    type: 'regular',
    description: `${stageName(place)}${place.step.instruction.line.text.split('\n', 1)[0]}`,
    ...(parent === undefined ? {} : { parent }),
    diffId: layer.diffId,
    chainId: layer.chainId,
    blob: layer.blob,
    sizeBytes: of === undefined ? layer.sizeBytes : 0,
    createdMs,
    lastUsedMs: createdMs,
    uses: 1,
    ...(of === undefined ? {} : { isAlias: true, of }),
  }
  place.run.parts.cache.put(record, made.inputs)
}

/** The inputs that every step has. */
export function inputsOf(
  { run, state, stage }: StepPlace,
  instruction: string,
  values: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
  { isLinked = false } = {},
): StepInputs {
  const parent: Digest | '' = isLinked ? '' : (state.layers.at(-1)?.chainId ?? '')
  const scratch: Readonly<Record<string, string>> =
    parent === '' ? { platform: `${stage.platform.os}/${stage.platform.architecture}` } : {}
  const rewritten: Readonly<Record<string, string>> =
    run.latestNs === undefined ? {} : { rewritten: String(run.latestNs) }
  return { parent, instruction, values: { ...values, ...scratch, ...rewritten }, files }
}

function explain(place: StepPlace, inputs: StepInputs): void {
  const { run, stage, vertex, step } = place
  const last = stage.noCache ? undefined : run.parts.cache.last(slotOf(place))
  const reasons = stage.noCache
    ? [{ kind: 'nocache', text: 'the cache is not used for this stage' }]
    : explainMiss(last?.inputs, inputs)
  run.host.emit({ type: 'explain', vertex: vertex.id, step: step.instruction.line.text, reasons })
}

/** The slot of a step. It is the same for the same instruction of the same Dockerfile over the same context. */
function slotOf({ run, stage, index }: StepPlace): string {
  const { context, dockerfileName } = run.request
  const source = 'key' in context ? context.key : 'url' in context ? context.url : ''
  const name = stage.planned.stage.name ?? String(stage.planned.stage.index)
  const { shownPlatform } = stage
  const platform = shownPlatform === undefined ? [] : [shownPlatform]
  return hash('sha256', JSON.stringify([source, dockerfileName, name, index, ...platform]), 'hex').slice(0, 32)
}

function stageName({ stage }: StepPlace): string {
  const { name } = stage.planned.stage
  return name === undefined ? '' : `[${name}] `
}
