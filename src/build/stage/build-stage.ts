/** Builds one stage: its steps, one after another. */
import { formatNs, isBerthError, messageOf } from '../../base/index.ts'
import { digestOf, type OciHistoryEntry } from '../../oci/index.ts'
import { evaluationError, type Step } from '../dockerfile/index.ts'
import { configOf } from '../image/final-config.ts'
import { historyText } from '../image/history-text.ts'
import { keepStepImage } from '../image/step-image.ts'
import type { StageState } from '../model/stage-state.ts'
import type { StageToBuild } from '../model/stage-to-build.ts'
import type { Vertex } from '../model/vertexes.ts'
import type { BuildRun } from './build-run.ts'
import { copyStep } from './copy-step.ts'
import type { StepLayer } from './layer-step.ts'
import { runStep } from './run-step.ts'
import type { StepPlace } from './step-place.ts'
import { workdirStep } from './workdir-step.ts'

/** The comment in history entries by which tools recognize images that Docker has built. */
const historyComment = 'buildkit.dockerfile.v0'

/** Builds the stage, after the stage it is based on. */
export async function buildStage(run: BuildRun, stage: StageToBuild): Promise<StageState> {
  const { planned, evaluated, base, number: index } = stage
  report(run, index, 0, 'begin', planned.stage.from.line.text)
  let state = 'stage' in base ? await run.stage(base.stage) : base.state
  await reportDone(run, stage, -1, state)
  const names = vertexNames(run, stage)
  const args = new Map<string, string | undefined>()
  for (const [at, step] of evaluated.steps.entries()) {
    run.host.signal.throwIfAborted()
    if (step.instruction.kind === 'ARG') for (const { name, value } of step.instruction.args) args.set(name, value)
    const createdBy = historyText(step, args)
    const name = names.get(at)
    if (name === undefined) {
      report(run, index, at + 1, 'begin', step.instruction.line.text)
      if (createdBy !== undefined) {
        const entry = { created_by: createdBy, comment: historyComment, empty_layer: true }
        state = withHistory(state, { ...createdOf(state), ...entry })
      }
      state = await reportDone(run, stage, at, state)
      continue
    }
    state = await buildLayer(run, stage, { step, at, name, createdBy: createdBy ?? '', state })
  }
  return state
}

interface LayerToBuild {
  readonly step: Step
  readonly at: number
  readonly name: string
  readonly createdBy: string
  readonly state: StageState
}

async function buildLayer(
  run: BuildRun,
  stage: StageToBuild,
  { step, at, name, createdBy, state }: LayerToBuild,
): Promise<StageState> {
  const { number: index } = stage
  const text = step.instruction.line.text
  const vertex = run.vertexes.begin(vertexId(index, at), name)
  report(run, index, at + 1, 'begin', text)
  const place: StepPlace = {
    run,
    stage,
    step,
    index: at,
    state,
    vertex,
    running: (id) => report(run, index, at + 1, 'running', text, id),
  }
  try {
    const { layer, cached, createdMs } = await carryOut(place)
    endVertex(vertex, cached)
    if (cached) report(run, index, at + 1, 'cached', text)
    const created = createdTime(run, createdMs)
    const entry = { created, created_by: createdBy, comment: historyComment }
    const layers = [...state.layers, { ...layer, createdBy }]
    return await reportDone(run, stage, at, { ...state, layers, history: [...state.history, entry], created })
  } catch (error) {
    vertex.fail(error)
    report(run, index, at + 1, 'failed', messageOf(error))
    throw placed(error, step)
  }
}

/** Adds the line of the failed step to an error. */
function placed(error: unknown, { instruction }: Step): unknown {
  if (!isBerthError(error) || error.kind === 'cancelled' || error.details.line !== undefined) return error
  return evaluationError(instruction.line, error.message, 0, error)
}

function endVertex(vertex: Vertex, cached: boolean): void {
  if (cached) vertex.cached()
  else vertex.done()
}

function carryOut(place: StepPlace): Promise<StepLayer> {
  switch (place.step.instruction.kind) {
    case 'RUN':
      return runStep(place)
    case 'WORKDIR':
      return workdirStep(place)
    default:
      return copyStep(place)
  }
}

/** True for instructions that make a layer. */
function hasLayer({ instruction, after }: Step): boolean {
  if (instruction.kind === 'WORKDIR') return after.config.WorkingDir !== '/'
  return instruction.kind === 'RUN' || instruction.kind === 'COPY' || instruction.kind === 'ADD'
}

/** Reports all steps of a stage before they start. */
export function announceStage(run: BuildRun, stage: StageToBuild): void {
  const { name } = stage.planned.stage
  for (const [at, text] of vertexNames(run, stage)) {
    run.vertexes.announce(vertexId(stage.number, at), text, name === undefined ? {} : { stage: name })
  }
}

/** Names of the steps that make a layer, as clients show them: `[build 2/5] RUN make`, `[linux/arm64 build 2/5] RUN
 *  make`. */
function vertexNames(run: BuildRun, { planned, evaluated, shownPlatform }: StageToBuild): ReadonlyMap<number, string> {
  const { stage } = planned
  const layered = [...evaluated.steps.entries()].filter(([, step]) => hasLayer(step))
  const isOnly = run.dockerfile.stages.length === 1
  const platform = shownPlatform === undefined ? '' : `${shownPlatform} `
  const title = `${platform}${isOnly ? '' : `${stage.name ?? `stage-${stage.index}`} `}`
  return new Map(
    layered.map(([at, { instruction }], place) => {
      const text = instruction.line.text.replace(/\s+/g, ' ')
      return [at, `[${title}${place + 2}/${layered.length + 1}] ${text}`]
    }),
  )
}

function vertexId(stage: number, step: number): string {
  return `${stage}.${step + 1}`
}

function withHistory(state: StageState, entry: OciHistoryEntry): StageState {
  return { ...state, history: [...state.history, entry] }
}

/** An instruction without a layer has the creation time of what is below it, so that equal builds give equal images. */
function createdOf({ created }: StageState): { readonly created?: string } {
  return created === undefined ? {} : { created }
}

function createdTime({ request }: BuildRun, createdMs: number): string {
  const epoch = sourceDateEpoch(request.buildArgs)
  return formatNs(epoch === undefined ? BigInt(createdMs) * 1_000_000n : BigInt(epoch) * 1_000_000_000n)
}

/** The value of SOURCE_DATE_EPOCH, in seconds since 1970. Undefined when it is not set or not a number. */
export function sourceDateEpoch(buildArgs: Readonly<Record<string, string>> | undefined): number | undefined {
  const text = buildArgs?.SOURCE_DATE_EPOCH
  return text !== undefined && /^\d{1,12}$/.test(text) ? Number(text) : undefined
}

function report(
  run: BuildRun,
  stage: number,
  step: number,
  phase: 'begin' | 'running' | 'cached' | 'done' | 'failed',
  text: string,
  id?: string,
): void {
  run.host.onStep?.({ stage, step, phase, text, ...(id === undefined ? {} : { id }) })
}

/** Reports that a step is done. For clients that receive such reports, keeps an image of the step. */
async function reportDone(run: BuildRun, stage: StageToBuild, at: number, state: StageState): Promise<StageState> {
  if (run.host.onStep === undefined) return state
  const { base } = stage
  if (at === -1 && 'image' in base && base.image !== undefined) {
    report(run, stage.number, 0, 'done', '', base.image)
    return state
  }
  const image = at === -1 ? stage.evaluated.steps[0]?.before : stage.evaluated.steps[at]?.after
  const config = configOf(stage, state, image ?? stage.evaluated.image, run.request)
  const id =
    at === -1
      ? digestOf(Buffer.from(JSON.stringify(config)))
      : await keepStepImage(run.parts.images, run.holds, { config, layers: state.layers, parent: state.image })
  report(run, stage.number, at + 1, 'done', '', id)
  return at === -1 ? state : { ...state, image: id }
}
