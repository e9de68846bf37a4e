/** One build for a BuildKit client. After the last step it waits. The client may look at the result before it decides
 *  whether outputs are made. */
import type { BuildEvent, BuildRequest } from '../../../api/index.ts'
import { BerthError, newId } from '../../../base/index.ts'
import { formatPlatform } from '../../../oci/index.ts'
import { provenanceOf } from '../../export/index.ts'
import type { BuiltImage } from '../../model/built-image.ts'
import type { RecordedProvenance } from '../history/build-record.ts'
import type { BuildProgress } from '../progress/build-progress.ts'
import { type SolvedDockerfile, toSolveError } from '../progress/solve-error.ts'
import { toBuildRequest } from '../request/frontend-request.ts'
import type { SolveInput } from '../request/solve-input.ts'
import type { BuildResults } from './build-results.ts'
import type { Builder } from './builder.ts'
import { solveClient } from './solve-client.ts'

/** The exporters' answers, such as `containerimage.digest`. */
export type ExporterResponse = Readonly<Record<string, string>>

/** The result of a finished build. */
export interface BuildOutcome {
  readonly response: ExporterResponse
  /** Ids of the images that are now in the engine's store. */
  readonly images: readonly string[]
}

/** What a build runs with. */
export interface RunningBuildOptions {
  readonly builder: Builder
  readonly results: BuildResults
  readonly input: SolveInput
  readonly progress: BuildProgress
  readonly signal: AbortSignal
  /** Called with the images' provenance once they are built. */
  readonly onProvenance: (statements: readonly RecordedProvenance[]) => void
}

/** A build that has started. */
export class RunningBuild {
  /** The client's name for the result. */
  readonly id = newId().slice(0, 25)
  readonly #built = Promise.withResolvers<readonly BuiltImage[]>()
  readonly #verdict = Promise.withResolvers<void>()
  readonly #outcome: Promise<BuildOutcome>
  #dockerfile: SolvedDockerfile | undefined

  /** Starts the build. */
  constructor(options: RunningBuildOptions) {
    this.#outcome = this.#run(options)
    // The promises may fail before anyone awaits them. That must not count as an unhandled rejection.
    for (const one of [this.#built.promise, this.#verdict.promise, this.#outcome]) one.catch(() => {})
  }

  /** Resolves with the images when every step is done. Throws `GrpcError` when a step failed. */
  get built(): Promise<readonly BuiltImage[]> {
    return this.#built.promise
  }

  /** Makes the outputs and gives the result. Throws `GrpcError`. */
  async finish(): Promise<BuildOutcome> {
    this.#verdict.resolve()
    return await this.#outcome
  }

  /** Ends the build without outputs. Resolves when nothing of it runs anymore. */
  async discard(): Promise<void> {
    this.#verdict.reject(new BerthError('cancelled', 'the result was not wanted'))
    await this.#outcome.catch(() => {})
  }

  async #run({ builder, results, input, progress, signal, onProvenance }: RunningBuildOptions): Promise<BuildOutcome> {
    const response: Record<string, string> = {}
    try {
      const { request, names, warnings } = toBuildRequest(input)
      const untold = [...warnings]
      const started = new Date().toISOString()
      const client = solveClient({
        input,
        names,
        dockerfileName: request.dockerfileName,
        directory: builder.directory,
        signal,
        emit: (event) => {
          const shown = input.llb === undefined ? event : llbEvent(event, input.llb.name)
          if (shown !== undefined) progress.event(shown)
          // Clients drop warnings that arrive before any step.
          if (shown?.type === 'vertex')
            for (const message of untold.splice(0)) progress.event({ type: 'warning', message })
          if (event.type === 'metadata') Object.assign(response, toResponse(event.values))
        },
        onBuilt: async (images) => {
          results.add(this.id, images)
          onProvenance(
            recordedProvenance({ ...request, dockerfile: this.#dockerfile?.text ?? '' }, images, this.id, started),
          )
          this.#built.resolve(images)
          await Promise.race([this.#verdict.promise, abortOf(signal)])
        },
        builtContext: (id) => results.find(id),
        onResponse: (values) => void Object.assign(response, values),
        onDockerfile: (text) => {
          this.#dockerfile = { name: request.dockerfileName, text }
          progress.setDockerfile(request.dockerfileName, text)
        },
      })
      const images = await builder.build(request, client)
      return { response, images: images.flatMap(({ id }) => (id === undefined ? [] : [id])) }
    } catch (error) {
      const failure = toSolveError(error, this.#dockerfile)
      this.#built.reject(failure)
      throw failure
    }
  }
}

/** An event of an LLB build. Its Dockerfile is generated, so it is not shown, and its step gets the name that the
 *  client gave to the source. */
function llbEvent(event: BuildEvent, name: string): BuildEvent | undefined {
  if (event.type !== 'vertex') return event
  if (event.id === 'dockerfile') return undefined
  return /^\[\d/.test(event.name) ? { ...event, name } : event
}

/** The most detailed provenance. The answer to a client is reduced to what it asks for. */
function recordedProvenance(
  request: BuildRequest,
  images: readonly BuiltImage[],
  buildId: string,
  started: string,
): readonly RecordedProvenance[] {
  const finished = new Date().toISOString()
  return images.map((image) => ({
    platform: formatPlatform(image.platform),
    ...provenanceOf({ mode: 'max' }, { request, image, buildId, started, finished }),
  }))
}

function toResponse(values: Readonly<Record<string, unknown>>): ExporterResponse {
  const texts = Object.entries(values).map(([name, value]) => {
    return [name, typeof value === 'string' ? value : Buffer.from(JSON.stringify(value)).toString('base64')]
  })
  return Object.fromEntries(texts) as ExporterResponse
}

function abortOf(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(new BerthError('cancelled', 'context canceled'))
  if (signal.aborted) give()
  else signal.addEventListener('abort', give, { once: true })
  return promise
}
