/** One `Control.Solve`: what the client builds under one name. The client drives it over `LLBBridge`, then says which
 *  result it wants exported. */
import { BerthError, invalidArgument, notImplemented } from '../../../base/index.ts'
import type { GrpcError } from '../../../grpc/index.ts'
import type { Definition } from '../gen/pb_pb.ts'
import type { BuildHistory } from '../history/build-history.ts'
import type { BuildRecord } from '../history/build-record.ts'
import { BuildProgress } from '../progress/build-progress.ts'
import { toBuildRequest } from '../request/frontend-request.ts'
import { llbBuild } from '../request/llb-source.ts'
import type { SolveInput } from '../request/solve-input.ts'
import { type BuildResults, resultOf } from './build-results.ts'
import type { Builder } from './builder.ts'
import { ResultFiles } from './result-files.ts'
import { type ExporterResponse, RunningBuild } from './running-build.ts'
import { readDockerfile } from './solve-client.ts'
import { answerSubrequest } from './subrequests.ts'

/** What the client says at the end: the result that it wants, or why there is none. */
export type Verdict = { readonly refs: readonly string[] } | { readonly error: GrpcError }

export interface SolveJobOptions {
  readonly ref: string
  readonly builder: Builder
  readonly results: BuildResults
  /** Where the build is remembered; without it, it isn't. */
  readonly history?: BuildHistory | undefined
  /** Of the job; each build has a frontend and options of its own. */
  readonly input: SolveInput
  /** The client's call. */
  readonly signal: AbortSignal
}

/** What a call asks for, beside what holds for the whole job. */
export type JobBuild = Pick<SolveInput, 'frontend' | 'attrs' | 'inputs' | 'llb'> &
  Partial<Pick<SolveInput, 'cacheImports'>>

export class SolveJob {
  readonly ref: string
  readonly input: SolveInput
  readonly progress: BuildProgress
  readonly signal: AbortSignal
  readonly #builder: Builder
  readonly #results: BuildResults
  readonly #history: BuildHistory | undefined
  readonly #record: BuildRecord | undefined
  readonly #abort = new AbortController()
  readonly #builds = new Map<string, RunningBuild>()
  readonly #verdict = Promise.withResolvers<Verdict>()

  constructor({ ref, builder, results, history, input, signal }: SolveJobOptions) {
    this.ref = ref
    this.input = input
    this.#history = history
    const { frontend, attrs, exports } = input
    this.#record = history?.begin({ ref, frontend, attrs, exports })
    this.progress = new BuildProgress({ ref, onMessage: (message) => this.#record?.take(message) })
    this.#builder = builder
    this.#results = results
    const gone = new AbortController()
    // A session that ends takes the files, secrets and places of outputs with it.
    void input.session.client.closed.then(() =>
      gone.abort(new BerthError('cancelled', 'the client closed its session')),
    )
    this.signal = AbortSignal.any([signal, this.#abort.signal, gone.signal])
  }

  /** Begins a build. */
  start(options: JobBuild): RunningBuild {
    const { signal, progress } = this
    const input = this.#inputOf(options)
    this.#record?.describe(input.frontend, input.attrs)
    const build = new RunningBuild({
      builder: this.#builder,
      results: this.#results,
      input,
      progress,
      signal,
      onProvenance: (statements) => this.#record?.setProvenance(statements),
    })
    this.#builds.set(build.id, build)
    return build
  }

  /** Begins a build that is given as LLB; gives the name of its result, or of the one that it means. Throws
   *  `notImplemented` for what isn't built. */
  startDefinition(definition: Definition): string {
    const known = resultOf(definition)
    if (known !== undefined) return known
    const llb = llbBuild(definition)
    return this.start({ frontend: '', attrs: llb.attrs, inputs: new Map(), llb }).id
  }

  /** Names of results by the names that a client gives them; what is LLB is built. */
  async inputsOf(definitions: Readonly<Record<string, Definition>>): Promise<ReadonlyMap<string, string>> {
    const started = Object.entries(definitions).map(([name, one]) => [name, this.startDefinition(one)] as const)
    await Promise.all(started.map(([, id]) => this.#builds.get(id)?.built))
    return new Map(started)
  }

  /** The files of a result of this client. Throws `GrpcError` when it can't be built. */
  async files(id: string): Promise<ResultFiles> {
    const images = (await this.#builds.get(id)?.built) ?? this.#results.find(id)
    if (images === undefined) throw invalidArgument(`ref ${id} is not one of build ${this.ref}`)
    return new ResultFiles(this.#builder, images)
  }

  /** Answers a question about a Dockerfile, by BuildKit's name for it. */
  async ask(id: string, options: JobBuild): Promise<Readonly<Record<string, Uint8Array>>> {
    const input = this.#inputOf(options)
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

  #inputOf({ cacheImports = [], ...options }: JobBuild): SolveInput {
    return { ...this.input, ...options, cacheImports: [...this.input.cacheImports, ...cacheImports] }
  }

  has(id: string): boolean {
    return this.#builds.has(id)
  }

  /** The build of that result. Throws `invalidArgument` when there is none. */
  find(id: string): RunningBuild {
    const build = this.#builds.get(id)
    if (build === undefined) throw invalidArgument(`ref ${id} is not one of build ${this.ref}`)
    return build
  }

  /** The client has decided. */
  decide(verdict: Verdict): void {
    this.#verdict.resolve(verdict)
  }

  /** Waits for the client's decision and carries it out. Throws `GrpcError`. */
  async conclude(): Promise<ExporterResponse> {
    const response = await this.#carryOut()
    this.succeed(response)
    return response
  }

  /** The build is over, and this is what its exporters say. */
  succeed(response: ExporterResponse): void {
    this.#remember(response, undefined)
  }

  /** The build is over, and has failed with this. */
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
    const wanted = verdict.refs.map((id) => this.find(id))
    const response: Record<string, string> = {}
    for (const build of wanted) Object.assign(response, (await build.finish()).response)
    return response
  }

  /** Ends what nobody wanted; resolves when nothing runs any more. */
  async close(): Promise<void> {
    this.#abort.abort(new BerthError('cancelled', 'context canceled'))
    await Promise.all([...this.#builds.values()].map((build) => build.discard()))
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
