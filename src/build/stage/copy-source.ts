/** Opens the source of a COPY: the context, a stage, a named context or an image. */

import { DirectoryContext } from '../context/directory-context.ts'
import type { FileContext } from '../context/file-context.ts'
import { type AddInstruction, type CopyInstruction, DockerfileError, resolveReference } from '../dockerfile/index.ts'
import { openView } from '../layer/view.ts'
import type { BuiltLayer } from '../model/built-image.ts'
import type { StepPlace } from './step-place.ts'

/** An open source. Disposing of it closes what was opened for this step. */
export interface CopyFrom extends AsyncDisposable {
  readonly context: FileContext
  /** Identifies the files, when that is possible without listing them. */
  readonly identity?: string
  readonly shownAs: string
}

/** Opens the source of the instruction. Waits for a stage. */
export async function openCopySource(
  place: StepPlace,
  instruction: CopyInstruction | AddInstruction,
): Promise<CopyFrom> {
  const { run } = place
  if (instruction.kind === 'ADD' || instruction.from === undefined) {
    const context = await run.context()
    if (context === undefined) {
      if (instruction.sources.every((source) => source.kind === 'inline')) return lent(emptyContext, 'the Dockerfile')
      throw refuse(place, `${instruction.kind} failed: there is no build context`)
    }
    return lent(context, 'the build context')
  }
  const source = await openReference(place, instruction.from)
  return source
}

/** Opens what a name in `--from` or `from=` refers to. */
export async function openReference(
  place: StepPlace,
  reference: { readonly text: string; readonly offset: number },
): Promise<CopyFrom> {
  const { run, stage, step } = place
  const source = resolveReference(run.dockerfile, step.instruction, reference)
  if (source.kind === 'scratch') return lent(emptyContext, 'scratch')
  if (source.kind === 'stage') return await layersContext(place, (await run.stage(source.index)).layers, reference.text)
  const named = await run.namedContext(source.name)
  if (named !== undefined) return lent(named, source.name)
  const image = await run.bases.get(source.name, stage.platform)
  return await layersContext(place, image.layers, source.name)
}

async function layersContext({ run }: StepPlace, layers: readonly BuiltLayer[], shownAs: string): Promise<CopyFrom> {
  const top = layers.at(-1)
  if (top === undefined) return lent(emptyContext, shownAs)
  const context = new LayersContext(run.parts, top.chainId)
  return {
    context,
    identity: top.chainId,
    shownAs,
    [Symbol.asyncDispose]: () => context[Symbol.asyncDispose](),
  }
}

/** Wraps a context that the build closes later. */
function lent(context: FileContext, shownAs: string): CopyFrom {
  return { context, shownAs, async [Symbol.asyncDispose]() {} }
}

const emptyContext: FileContext = {
  look: async () => ({ lstat: () => undefined, list: () => [] }),
  digests: async () => new Map(),
  contents: async () => ({ root: '/nonexistent' }),
  text: async () => undefined,
  async [Symbol.asyncDispose]() {},
}

/** The files of a stage or an image. They are mounted when first read. */
class LayersContext implements FileContext {
  readonly #parts: StepPlace['run']['parts']
  readonly #chainId: string
  #view: ReturnType<typeof openView> | undefined
  #directory: DirectoryContext | undefined

  constructor(parts: StepPlace['run']['parts'], chainId: string) {
    this.#parts = parts
    this.#chainId = chainId
  }

  async look() {
    return await (await this.#open()).look()
  }

  async digests(paths: readonly string[]) {
    return await (await this.#open()).digests(paths)
  }

  async contents() {
    return await (await this.#open()).contents()
  }

  async text(path: string) {
    return await (await this.#open()).text(path)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#view === undefined) return
    const view = await this.#view
    view[Symbol.dispose]()
  }

  async #open(): Promise<DirectoryContext> {
    this.#view ??= openView(this.#parts, this.#chainId)
    const { path } = await this.#view
    this.#directory ??= new DirectoryContext(path, { workers: this.#parts.workers })
    return this.#directory
  }
}

function refuse({ step }: StepPlace, problem: string): DockerfileError {
  const { line } = step.instruction
  return new DockerfileError(problem, { source: line.source, range: line.range }, { parsing: false })
}
