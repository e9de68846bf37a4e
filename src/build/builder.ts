/** Runs a build, from the request to the images. Each step has a key, a digest of everything it reads. A step whose key
 *  is in the cache is not run again (see cache/). Stages run in parallel; each starts as soon as the stages that it
 *  builds on or copies from are done. A build that fails or is canceled leaves valid cache records and nothing else. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildRequest } from '../api/index.ts'
import { BerthError, invalidArgument, isBerthError } from '../base/index.ts'
import { Holds } from '../images/index.ts'
import type { Digest } from '../oci/index.ts'
import { makePrivateDirectory } from '../sys/index.ts'
import type { FileContext } from './context/file-context.ts'
import { IgnoredContext } from './context/ignored-context.ts'
import { NamedContexts } from './context/named-contexts.ts'
import {
  type BaseConfigs,
  type CheckResult,
  checkBasePlatforms,
  checkDockerfile,
  checkFailure,
  type Dockerfile,
  type GlobalScope,
  IgnoreMatcher,
  ignoreFileNames,
  parseDockerfile,
  parseIgnoreFile,
  proxyEnvironment,
  unusedBuildArgs,
} from './dockerfile/index.ts'
import { type BuildExporter, exportTarget } from './export/export-target.ts'
import { ImportedCaches, squashImage } from './export/index.ts'
import type { BuildHost } from './host/build-host.ts'
import { BaseImages } from './image/base-images.ts'
import { configOf } from './image/final-config.ts'
import { stepSnapshotPrefix } from './layer/make-layer.ts'
import type { BuildParts } from './model/build-parts.ts'
import type { BuildMaterial, BuiltImage, BuiltLayer } from './model/built-image.ts'
import type { StageState } from './model/stage-state.ts'
import type { StageToBuild } from './model/stage-to-build.ts'
import { Vertexes } from './model/vertexes.ts'
import { checkRequest } from './plan/check-request.ts'
import { type PlannedBuild, planBuild, platformsOf, scopeOf } from './plan/plan-build.ts'
import { shareStages } from './plan/share-stages.ts'
import { clearCacheMounts } from './run/cache-mounts.ts'
import { runOptionsOf } from './run/run-options.ts'
import type { BuildRun } from './stage/build-run.ts'
import { announceStage, buildStage, sourceDateEpoch } from './stage/build-stage.ts'

/** The result of a build. */
export interface BuildResult {
  /** For each target, the id of the image that the store now has. Undefined when the target's outputs leave no image
   *  there. */
  readonly images: readonly { readonly target: number; readonly id: Digest | undefined }[]
}

/** A plan for one platform, with the base images it uses. */
type PlannedForPlatform = PlannedBuild & { readonly bases: BaseImages }

/** Creates the builder's directories, and removes what a crash left of steps and cache mounts. Call it once, when
 *  containers are restored. `passingGroup` is the host group that must be able to traverse the directories to reach
 *  files of steps; see `makePrivateDirectory`. */
export async function clearBuildRemains(
  parts: Pick<BuildParts, 'snapshots' | 'directory' | 'cache' | 'trash'>,
  passingGroup: number | undefined,
): Promise<void> {
  for await (const { key, kind } of parts.snapshots.walk()) {
    if (kind === 'active' && key.startsWith(stepSnapshotPrefix)) await parts.snapshots.remove(key)
  }
  // The directory itself stays, because on a full disk no new one can be made.
  const remains = join(parts.directory, 'tmp')
  for (const path of [parts.directory, remains]) makePrivateDirectory(path, passingGroup)
  for (const name of readdirSync(remains)) parts.trash.discard(join(remains, name))
  clearCacheMounts(parts)
}

/** Runs a build request. Throws `BerthError`: `cancelled` when `host.signal` is aborted, `DockerfileError` for a faulty
 *  Dockerfile, `CommandFailedError` for a RUN that fails. */
export async function build(
  parts: BuildParts,
  request: BuildRequest,
  host: BuildHost,
  exporter: BuildExporter,
): Promise<BuildResult> {
  const { leases, gate, garbage } = parts.images
  const holds = new Holds(leases)
  try {
    return await gate.make(() => new Build(parts, request, host, holds).run(exporter))
  } catch (error) {
    throw host.signal.aborted && !isBerthError(error) ? cancelled(error) : error
  } finally {
    holds[Symbol.dispose]()
    await garbage.discard(holds.blobs, holds.chainIds)
  }
}

class Build {
  readonly #parts: BuildParts
  readonly #request: BuildRequest
  readonly #host: BuildHost
  readonly #holds: Holds
  readonly #vertexes: Vertexes
  readonly #contexts = new Map<string, Promise<FileContext | undefined>>()
  readonly #materials: BuildMaterial[] = []
  readonly #named: NamedContexts
  /** Aborted when the client cancels or when the first stage fails. */
  readonly #abort = new AbortController()

  constructor(parts: BuildParts, request: BuildRequest, host: BuildHost, holds: Holds) {
    this.#parts = parts
    this.#request = request
    this.#host = { ...bound(host), signal: AbortSignal.any([host.signal, this.#abort.signal]) }
    this.#holds = holds
    this.#named = new NamedContexts(request.namedContexts)
    this.#vertexes = new Vertexes((event) => host.emit(event))
  }

  async run(exporter: BuildExporter): Promise<BuildResult> {
    try {
      checkRequest(this.#parts, this.#request)
      exporter.begin(this.#request)
      const dockerfile = await this.#readDockerfile()
      const scopes = platformsOf(this.#request).map((platform) => scopeOf(dockerfile, this.#request, platform))
      if (this.#request.check) {
        for (const scope of scopes.slice(0, 1)) this.#tell([this.#check(dockerfile, scope)])
        return { images: [] }
      }
      const replaced = this.#named.applyTo(dockerfile)
      return await this.#carryOut(replaced, await this.#checkedPlan(dockerfile, replaced, scopes), exporter)
    } finally {
      for (const context of this.#contexts.values())
        await (await context.catch(() => undefined))?.[Symbol.asyncDispose]()
    }
  }

  async #readDockerfile(): Promise<Dockerfile> {
    const { dockerfile: given, dockerfileName } = this.#request
    const vertex = this.#vertexes.begin('dockerfile', `[internal] load build definition from ${dockerfileName}`)
    try {
      const text = given ?? (await this.#dockerfileText(dockerfileName))
      if (text === undefined) {
        throw invalidArgument(`Cannot locate specified Dockerfile: ${dockerfileName}`)
      }
      if (text.trim() === '') throw invalidArgument(`the Dockerfile (${dockerfileName}) cannot be empty`)
      const parsed = parseDockerfile(text, { file: dockerfileName })
      vertex.done()
      return parsed
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }

  async #dockerfileText(name: string): Promise<string | undefined> {
    if (this.#host.readDockerfile !== undefined) return await this.#host.readDockerfile()
    return await (await this.#context('context'))?.text(name, this.#host)
  }

  /** Plans the build and reports all warnings. With base images known, the checks find more. If planning fails, the
   *  checks run without base images, so that the user sees their warnings beside the error. */
  async #checkedPlan(
    dockerfile: Dockerfile,
    replaced: Dockerfile,
    scopes: readonly GlobalScope[],
  ): Promise<readonly PlannedForPlatform[]> {
    const [scope] = scopes
    let plans: readonly PlannedForPlatform[]
    try {
      plans = await this.#plan(replaced, scopes)
    } catch (error) {
      if (scope !== undefined) this.#tell([this.#check(dockerfile, scope)])
      throw error
    }
    const found = scope === undefined ? [] : [this.#check(dockerfile, scope, (name) => plans[0]?.baseConfigs.get(name))]
    this.#tell([...found, ...plans.map((plan) => checkBasePlatforms(dockerfile, plan.scope, plan.foreignBases))])
    return plans
  }

  #check(dockerfile: Dockerfile, scope: GlobalScope, baseConfigs: BaseConfigs = () => undefined): CheckResult {
    const found = checkDockerfile(dockerfile, { scope, baseConfigs })
    const unused = unusedBuildArgs(dockerfile, this.#request.buildArgs)
    if (unused.length > 0) {
      const message = `One or more build-args [${unused.join(' ')}] were not consumed`
      this.#host.emit({ type: 'warning', message })
    }
    return found
  }

  /** Reports all warnings. Then fails the build if `error=true` makes any of them an error. */
  #tell(found: readonly CheckResult[]): void {
    for (const { rule, message, description, url, file, range, excerpt } of found.flatMap(({ warnings }) => warnings))
      this.#host.emit({ type: 'warning', rule, message, description, url, file, line: range.start.line, excerpt })
    const rules = found.flatMap(({ failedRules = [] }) => failedRules)
    if (rules.length > 0) throw invalidArgument(checkFailure(rules))
  }

  /** Makes a plan for each platform. The plans share the images they load. */
  async #plan(dockerfile: Dockerfile, scopes: readonly GlobalScope[]): Promise<readonly PlannedForPlatform[]> {
    const options = {
      host: this.#host,
      holds: this.#holds,
      vertexes: this.#vertexes,
      request: this.#request,
      contexts: this.#named,
    }
    const common = new BaseImages(this.#parts, options)
    const views = scopes.map(() => common.view())
    const plans = await Promise.all(
      scopes.map((scope, at) => planBuild(dockerfile, this.#request, scope, views[at] ?? common)),
    )
    return shareStages(plans).map((plan, at) => ({ ...plan, bases: views[at] ?? common }))
  }

  async #carryOut(
    dockerfile: Dockerfile,
    plans: readonly PlannedForPlatform[],
    exporter: BuildExporter,
  ): Promise<BuildResult> {
    const shared = await this.#sharedRun(dockerfile)
    const started = new Map<StageToBuild, Promise<StageState>>()
    const runs = plans.map(({ scope, stages, bases }) => {
      const run: BuildRun = {
        ...shared,
        bases,
        scope,
        stage: (index) => {
          const stage = stages.get(index)
          if (stage === undefined) throw invalidArgument(`invalid stage index ${index}`)
          const known = started.get(stage) ?? buildStage(run, stage)
          started.set(stage, known)
          return known
        },
      }
      return run
    })
    const distinct = new Map<StageToBuild, BuildRun>()
    for (const [at, run] of runs.entries()) {
      for (const stage of plans[at]?.stages.values() ?? []) if (!distinct.has(stage)) distinct.set(stage, run)
    }
    for (const [stage, run] of distinct) announceStage(run, stage)
    this.#host.onPlan?.(
      [...distinct.keys()].map(({ number, evaluated }) => ({ stage: number, steps: 1 + evaluated.steps.length })),
    )
    const states = await this.#all([...distinct].map(([stage, run]) => run.stage(stage.planned.stage.index)))
    const { built, results } = await this.#export(plans, runs, exporter)
    await exporter.exportCaches(this.#request, { results, stages: states.map(({ layers }) => layers) }, this.#host)
    return { images: built }
  }

  /** The parts of a run that are the same for all platforms. */
  async #sharedRun(dockerfile: Dockerfile): Promise<Omit<BuildRun, 'bases' | 'scope' | 'stage'>> {
    const epoch = sourceDateEpoch(this.#request.buildArgs)
    const isRewriting = this.#request.targets.some(({ outputs }) =>
      outputs.some(({ attrs }) => attrs['rewrite-timestamp'] === 'true'),
    )
    return {
      parts: this.#parts,
      host: this.#host,
      request: this.#request,
      holds: this.#holds,
      vertexes: this.#vertexes,
      dockerfile,
      runOptions: runOptionsOf(this.#request),
      proxies: proxyEnvironment(this.#request.buildArgs),
      materials: this.#materials,
      imported: await this.#importCaches(),
      latestNs: isRewriting && epoch !== undefined ? BigInt(epoch) * 1_000_000_000n : undefined,
      context: () => this.#context('context'),
      namedContext: async (name) => {
        const found = this.#named.findFiles(name)
        return found === undefined ? undefined : await this.#context(found.name)
      },
    }
  }

  /** Exports the targets one after another, each with one image per platform. */
  async #export(plans: readonly PlannedForPlatform[], runs: readonly BuildRun[], exporter: BuildExporter) {
    const results: (readonly BuiltLayer[])[] = []
    const means = { exporter, request: this.#request, host: this.#host, vertexes: this.#vertexes }
    const targets: (readonly BuiltImage[])[] = []
    for (const target of this.#request.targets.keys()) {
      const images: BuiltImage[] = []
      for (const [at, { plan, stages, bases }] of plans.entries()) {
        const index = plan.targets[target]?.stage.index
        const [stage, run] = [index === undefined ? undefined : stages.get(index), runs[at]]
        if (index === undefined || stage === undefined || run === undefined) continue
        const state = await run.stage(index)
        results.push(state.layers)
        images.push(await this.#imageOf(target, stage, state, bases))
      }
      targets.push(images)
    }
    await this.#host.onBuilt?.(targets.flat())
    const built: { readonly target: number; readonly id: Digest | undefined }[] = []
    for (const [target, images] of targets.entries())
      built.push({ target, id: await exportTarget(means, target, images) })
    return { built, results }
  }

  /** Waits for all promises. The first failure aborts the rest and is the one thrown. */
  async #all<T>(work: readonly Promise<T>[]): Promise<readonly T[]> {
    let failure: { readonly error: unknown } | undefined
    await Promise.all(
      work.map((one) =>
        one.catch((error: unknown) => {
          failure ??= { error }
          this.#abort.abort()
        }),
      ),
    )
    if (failure !== undefined) throw failure.error
    return await Promise.all(work)
  }

  async #importCaches(): Promise<ImportedCaches> {
    const { images } = this.#parts
    const none = { ...this.#host, onProblem: () => {} }
    if (this.#request.cacheFrom.length === 0) return await ImportedCaches.open(images, this.#request, none)
    const vertex = this.#vertexes.begin('cache import', '[internal] importing cache')
    try {
      const caches = await ImportedCaches.open(images, this.#request, {
        ...this.#host,
        onProblem: (text) => vertex.log(2, `WARNING: ${text}\n`),
      })
      vertex.done()
      return caches
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }

  async #imageOf(target: number, stage: StageToBuild, state: StageState, bases: BaseImages): Promise<BuiltImage> {
    const epoch = sourceDateEpoch(this.#request.buildArgs)
    const image: BuiltImage = {
      target,
      stage: stage.planned.stage.name,
      platform: stage.platform,
      config: configOf(stage, state, stage.evaluated.image, this.#request),
      layers: state.layers,
      materials: [...bases.materials, ...this.#materials],
      ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
    }
    return this.#request.squash ? await squashImage(this.#parts.images, this.#holds, image, this.#host) : image
  }

  #context(name: string): Promise<FileContext | undefined> {
    const known = this.#contexts.get(name)
    if (known !== undefined) return known
    const opened = this.#open(name)
    this.#contexts.set(name, opened)
    return opened
  }

  /** Opens a context and applies its ignore file. For a local directory the client has applied the ignore file
   *  already. */
  async #open(name: string): Promise<FileContext | undefined> {
    const context = await this.#host.openContext(name)
    if (context === undefined || name !== 'context' || this.#request.context.kind === 'local') return context
    for (const file of ignoreFileNames(this.#request.dockerfileName)) {
      const text = await context.text(file)
      if (text !== undefined) return new IgnoredContext(context, new IgnoreMatcher(parseIgnoreFile(text)))
    }
    return context
  }
}

function bound(host: BuildHost): BuildHost {
  return {
    signal: host.signal,
    emit: (event) => host.emit(event),
    ...(host.onPlan === undefined ? {} : { onPlan: (stages) => host.onPlan?.(stages) }),
    ...(host.onStep === undefined ? {} : { onStep: (report) => host.onStep?.(report) }),
    openContext: (name) => host.openContext(name),
    ...(host.readDockerfile === undefined ? {} : { readDockerfile: host.readDockerfile.bind(host) }),
    secret: (id) => host.secret(id),
    ...(host.hasSsh === undefined ? {} : { hasSsh: host.hasSsh.bind(host) }),
    ...(host.openSsh === undefined ? {} : { openSsh: host.openSsh.bind(host) }),
    authOf: (registry) => host.authOf(registry),
    ...(host.builtContext === undefined ? {} : { builtContext: host.builtContext.bind(host) }),
    ...(host.onBuilt === undefined ? {} : { onBuilt: host.onBuilt.bind(host) }),
    ...(host.openOutput === undefined ? {} : { openOutput: host.openOutput.bind(host) }),
    ...(host.readContextFile === undefined ? {} : { readContextFile: host.readContextFile.bind(host) }),
    ...(host.readCacheFile === undefined ? {} : { readCacheFile: host.readCacheFile.bind(host) }),
  }
}

function cancelled(cause: unknown): BerthError {
  return new BerthError('cancelled', 'context canceled', { cause })
}
