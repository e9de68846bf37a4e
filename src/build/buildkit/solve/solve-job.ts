/** One `Control.Solve`: the builds that a client runs under one name. The client drives it through `LLBBridge`, then
 *  states which results to export. */
import { BerthError, invalidArgument, notImplemented } from '../../../base/index.ts'
import type { GrpcError } from '../../../grpc/index.ts'
import type { BuildHistory } from '../history/build-history.ts'
import type { BuildRecord } from '../history/build-record.ts'
import { BuildProgress } from '../progress/build-progress.ts'
import { toBuildRequest } from '../request/frontend-request.ts'
import type { SolveInput } from '../request/solve-input.ts'
import type { BuildResults } from './build-results.ts'
import type { Builder } from './builder.ts'
import { inputOf, type JobBuild, JobBuilds } from './job-builds.ts'
import type { ExporterResponse } from './running-build.ts'
import { readDockerfile } from './solve-client.ts'
import { answerSubrequest } from './subrequests.ts'

/** The client's decision at the end: the results to export, or the error that ends the job. */
export type Verdict = { readonly refs: readonly string[] } | { readonly error: GrpcError }

/** What a job is made from. */
export interface SolveJobOptions {
  readonly ref: string
  readonly builder: Builder
  readonly results: BuildResults
  /** Where the build is recorded. Absent: it is not. */
  readonly history?: BuildHistory | undefined
  /** The input for the whole job. Each build has its own frontend and options. */
  readonly input: SolveInput
  /** Aborted when the client's call ends. */
  readonly signal: AbortSignal
}

/** A job from `Control.Solve` to its end. */
export class SolveJob {
  readonly ref: string
  readonly input: SolveInput
  readonly progress: BuildProgress
  readonly signal: AbortSignal
  readonly builds: JobBuilds
  readonly #builder: Builder
  readonly #history: BuildHistory | undefined
  readonly #record: BuildRecord | undefined
  readonly #abort = new AbortController()
  readonly #verdict = Promise.withResolvers<Verdict>()

  constructor({ ref, builder, results, history, input, signal }: SolveJobOptions) {
    this.ref = ref
    this.input = input
    this.#history = history
    const { frontend, attrs, exports } = input
    this.#record = history?.begin({ ref, frontend, attrs, exports })
    this.progress = new BuildProgress({ ref, onMessage: (message) => this.#record?.transcript.take(message) })
    this.#builder = builder
    const gone = new AbortController()
    // The session provides files, secrets and outputs, so the job can't continue without it.
    void input.session.client.closed.then(() =>
      gone.abort(new BerthError('cancelled', 'the client closed its session')),
    )
    this.signal = AbortSignal.any([signal, this.#abort.signal, gone.signal])
    this.builds = new JobBuilds({
      ref,
      builder,
      results,
      input,
      progress: this.progress,
      signal: this.signal,
      onStart: ({ frontend, attrs }) => this.#record?.describe(frontend, attrs),
      onProvenance: (statements) => this.#record?.setProvenance(statements),
    })
  }

  /** Answers a question about a Dockerfile. `id` is BuildKit's name for the question. Throws `notImplemented` for a
   *  Dockerfile in a remote context, `invalidArgument` when there is none. */
  async ask(id: string, options: JobBuild): Promise<Readonly<Record<string, Uint8Array>>> {
    const input = inputOf(this.input, options)
    if ((options.attrs.context ?? '') !== '' && options.attrs.dockerfilekey === undefined)
      throw notImplemented(`${id} of a Dockerfile that is not on the client's side`)
    const { request, names } = toBuildRequest(input)
    const file = request.dockerfileName
    const text = await readDockerfile({
      input,
      names,
      dockerfileName: file,
      directory: this.#builder.directory,
      signal: this.signal,
      emit: (event) => this.progress.event(event),
      onDockerfile: (found) => this.progress.setDockerfile(file, found),
    })
    if (text === undefined) throw invalidArgument(`failed to read dockerfile: ${file} not found`)
    return answerSubrequest({ id, text, file, target: request.targets[0]?.name, buildArgs: request.buildArgs })
  }

  /** Sets the client's decision. */
  decide(verdict: Verdict): void {
    this.#verdict.resolve(verdict)
  }

  /** Waits for the client's decision and makes the outputs. Throws `GrpcError`. */
  async conclude(): Promise<ExporterResponse> {
    const response = await this.#carryOut()
    this.succeed(response)
    return response
  }

  /** Records that the build succeeded, with the exporters' answers. */
  succeed(response: ExporterResponse): void {
    this.#remember(response, undefined)
  }

  /** Records that the build failed. */
  fail(error: GrpcError): void {
    this.#remember({}, error)
  }

  #remember(response: ExporterResponse, failure: GrpcError | undefined): void {
    if (this.#record === undefined || this.#record.isOver) return
    this.#record.complete(response, failure)
    this.#history?.end(this.#record)
  }

  async #carryOut(): Promise<ExporterResponse> {
    const verdict = await Promise.race([this.#verdict.promise, aborted(this.signal)])
    if ('error' in verdict) throw verdict.error
    const wanted = verdict.refs.map((id) => this.builds.find(id))
    const response: Record<string, string> = {}
    for (const build of wanted) Object.assign(response, (await build.finish()).response)
    return response
  }

  /** Cancels builds whose results were not exported. Resolves when nothing runs anymore. */
  async close(): Promise<void> {
    this.#abort.abort(new BerthError('cancelled', 'context canceled'))
    await this.builds.discard()
    this.progress.end()
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const give = () => reject(new BerthError('cancelled', 'context canceled'))
  if (signal.aborted) give()
  else signal.addEventListener('abort', give, { once: true })
  return promise
}
