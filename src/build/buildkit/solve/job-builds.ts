/** The builds of one `Control.Solve`, by the names of their results. A client may start several under one job. */
import { invalidArgument } from '../../../base/index.ts'
import type { Definition } from '../gen/pb_pb.ts'
import { llbBuild } from '../request/llb-source.ts'
import type { SolveInput } from '../request/solve-input.ts'
import { resultOf } from './build-results.ts'
import { ResultFiles } from './result-files.ts'
import { RunningBuild, type RunningBuildOptions } from './running-build.ts'

/** What one call asks for; everything else comes from the job's input. */
export type JobBuild = Pick<SolveInput, 'frontend' | 'attrs' | 'inputs' | 'llb'> &
  Partial<Pick<SolveInput, 'cacheImports'>>

/** What the builds of a job run with. */
export interface JobBuildsOptions extends RunningBuildOptions {
  /** The client's name for the job, for error messages. */
  readonly ref: string
  /** Called with the input of each build before it starts. */
  readonly onStart: (input: SolveInput) => void
}

/** Starts builds and finds them again. */
export class JobBuilds {
  readonly #options: JobBuildsOptions
  readonly #builds = new Map<string, RunningBuild>()

  /** `options.input` is the job's own; `start` adds each call's options to it. */
  constructor(options: JobBuildsOptions) {
    this.#options = options
  }

  /** Starts a build. */
  start(wanted: JobBuild): RunningBuild {
    const { builder, results, progress, signal, onProvenance, onStart } = this.#options
    const input = inputOf(this.#options.input, wanted)
    onStart(input)
    const build = new RunningBuild({ builder, results, input, progress, signal, onProvenance })
    this.#builds.set(build.id, build)
    return build
  }

  /** Starts a build of an LLB definition and gives the name of its result. If the definition is the name of a result
   *  that Berth gave to a client, no build starts. Throws `notImplemented` for operations that Berth does not build. */
  startDefinition(definition: Definition): string {
    const known = resultOf(definition)
    if (known !== undefined) return known
    const llb = llbBuild(definition)
    return this.start({ frontend: '', attrs: llb.attrs, inputs: new Map(), llb }).id
  }

  /** Builds the inputs of a frontend. Gives the names of the results by the client's names for the inputs. */
  async inputsOf(definitions: Readonly<Record<string, Definition>>): Promise<ReadonlyMap<string, string>> {
    const started = Object.entries(definitions).map(([name, one]) => [name, this.startDefinition(one)] as const)
    await Promise.all(started.map(([, id]) => this.#builds.get(id)?.built))
    return new Map(started)
  }

  /** True when a build of this job has that result. */
  has(id: string): boolean {
    return this.#builds.has(id)
  }

  /** The build with that result. Throws `invalidArgument` when the job has none. */
  find(id: string): RunningBuild {
    const build = this.#builds.get(id)
    if (build === undefined) throw this.#unknown(id)
    return build
  }

  /** The files of a result of this job or of another build of the client. Waits for a build of this job. Throws
   *  `invalidArgument` for an unknown result, and the `GrpcError` of a failed build. */
  async files(id: string): Promise<ResultFiles> {
    const { builder, results } = this.#options
    const images = (await this.#builds.get(id)?.built) ?? results.find(id)
    if (images === undefined) throw this.#unknown(id)
    return new ResultFiles(builder, images)
  }

  /** Cancels the builds whose outputs were not asked for. Resolves when none is running. */
  async discard(): Promise<void> {
    await Promise.all([...this.#builds.values()].map((build) => build.discard()))
  }

  #unknown(id: string) {
    return invalidArgument(`ref ${id} is not one of build ${this.#options.ref}`)
  }
}

/** A job's input with the options of one call. The caches to import from are those of both. */
export function inputOf(job: SolveInput, { cacheImports = [], ...options }: JobBuild): SolveInput {
  return { ...job, ...options, cacheImports: [...job.cacheImports, ...cacheImports] }
}
