/** Builds: from a request to images. A step is known by a key made of all that it reads; what its key finds is not
 *  made again (see cache/). Stages run side by side, each as soon as what it stands on or copies from is there.
 *  What a build that fails or is cut short leaves is a cache that is good, and nothing else. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { BuildOutputType, BuildRequest } from '../api/index.ts'
import { BerthError, invalidArgument, isBerthError, notImplemented } from '../base/index.ts'
import { Holds } from '../images/index.ts'
import { type Digest, isDigest } from '../oci/index.ts'
import { BaseImages } from './base-images.ts'
import type { BuildHost } from './build-host.ts'
import type { BuildParts } from './build-parts.ts'
import type { BuildMaterial, BuiltImage } from './built-image.ts'
import type { FileContext } from './context/file-context.ts'
import { IgnoredContext } from './context/ignored-context.ts'
import {
  checkDockerfile,
  type Dockerfile,
  type GlobalScope,
  IgnoreMatcher,
  ignoreFileNames,
  parseDockerfile,
  parseIgnoreFile,
  proxyEnvironment,
  unusedBuildArgs,
} from './dockerfile/index.ts'
import { type BuiltStacks, ImportedCaches, squashImage } from './export/index.ts'
import { configOf } from './image/final-config.ts'
import { stepSnapshotPrefix } from './layer/make-layer.ts'
import { type PlannedBuild, planBuild, scopeOf } from './plan-build.ts'
import { runOptionsOf } from './run/run-options-of.ts'
import type { BuildRun, StageToBuild } from './stage/build-run.ts'
import { announceStage, buildStage, sourceDateEpoch } from './stage/build-stage.ts'
import type { StageState } from './stage/stage-state.ts'
import { Vertexes } from './vertexes.ts'

/** Makes something of what was built; see `export/`. */
export interface BuildExporter {
  /** A build begins. */
  begin(request: BuildRequest): void
  /** Makes one output. Gives what `--metadata-file` says of it. */
  export(
    image: BuiltImage,
    wanted: { readonly target: number; readonly output: number; readonly request: BuildRequest },
    host: BuildHost,
  ): Promise<Readonly<Record<string, unknown>>>
  /** Makes the caches that the request names. */
  exportCaches(request: BuildRequest, stacks: BuiltStacks, host: BuildHost): Promise<void>
}

export interface BuildResult {
  readonly images: readonly (BuiltImage & { readonly id: Digest | undefined })[]
}

/** Removes what a crash left of steps; run once, when containers are restored. */
export async function clearBuildRemains(parts: Pick<BuildParts, 'snapshots' | 'directory'>): Promise<void> {
  for await (const { key, kind } of parts.snapshots.walk()) {
    if (kind === 'active' && key.startsWith(stepSnapshotPrefix)) await parts.snapshots.remove(key)
  }
  rmSync(join(parts.directory, 'tmp'), { recursive: true, force: true })
  mkdirSync(join(parts.directory, 'tmp'), { recursive: true, mode: 0o711 })
  chmodSync(parts.directory, 0o711)
}

/** Carries a request out. */
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
  /** Aborted by the client, or by the first stage that fails. */
  readonly #abort = new AbortController()

  constructor(parts: BuildParts, request: BuildRequest, host: BuildHost, holds: Holds) {
    this.#parts = parts
    this.#request = request
    this.#host = { ...bound(host), signal: AbortSignal.any([host.signal, this.#abort.signal]) }
    this.#holds = holds
    this.#vertexes = new Vertexes((event) => host.emit(event))
  }

  async run(exporter: BuildExporter): Promise<BuildResult> {
    try {
      checkRequest(this.#request)
      exporter.begin(this.#request)
      const dockerfile = await this.#readDockerfile()
      const scope = scopeOf(dockerfile, this.#request)
      const options = { host: this.#host, holds: this.#holds, vertexes: this.#vertexes, request: this.#request }
      if (this.#request.check) {
        this.#check(dockerfile, scope)
        return { images: [] }
      }
      const bases = new BaseImages(this.#parts, options)
      this.#check(dockerfile, scope)
      const planned = await planBuild(dockerfile, this.#request, scope, bases)
      return await this.#carryOut(dockerfile, planned, bases, exporter)
    } finally {
      for (const context of this.#contexts.values())
        await (await context.catch(() => undefined))?.[Symbol.asyncDispose]()
    }
  }

  async #readDockerfile(): Promise<Dockerfile> {
    const { dockerfile: given, dockerfileName } = this.#request
    const vertex = this.#vertexes.begin('dockerfile', `[internal] load build definition from ${dockerfileName}`)
    try {
      const text = given ?? (await (await this.#context('context'))?.text(dockerfileName, this.#host))
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

  #check(dockerfile: Dockerfile, scope: GlobalScope): void {
    const { warnings, failure } = checkDockerfile(dockerfile, { scope })
    for (const { rule, message, description, file, range, excerpt } of warnings) {
      const url = `https://docs.docker.com/go/dockerfile/rule/${kebab(rule)}/`
      this.#host.emit({ type: 'warning', rule, message, description, url, file, line: range.start.line, excerpt })
    }
    const unused = unusedBuildArgs(dockerfile, this.#request.buildArgs)
    if (unused.length > 0) {
      const message = `One or more build-args [${unused.join(' ')}] were not consumed`
      this.#host.emit({ type: 'warning', message })
    }
    if (failure !== undefined) throw invalidArgument(failure)
  }

  async #carryOut(
    dockerfile: Dockerfile,
    { plan, stages, scope }: PlannedBuild,
    bases: BaseImages,
    exporter: BuildExporter,
  ): Promise<BuildResult> {
    const epoch = sourceDateEpoch(this.#request.buildArgs)
    const isRewriting = this.#request.targets.some(({ outputs }) =>
      outputs.some(({ attrs }) => attrs['rewrite-timestamp'] === 'true'),
    )
    const started = new Map<number, Promise<StageState>>()
    const imported = await this.#importCaches()
    const run: BuildRun = {
      parts: this.#parts,
      host: this.#host,
      request: this.#request,
      holds: this.#holds,
      vertexes: this.#vertexes,
      bases,
      dockerfile,
      scope,
      runOptions: runOptionsOf(this.#request),
      proxies: proxyEnvironment(this.#request.buildArgs),
      materials: this.#materials,
      imported,
      latestNs: isRewriting && epoch !== undefined ? BigInt(epoch) * 1_000_000_000n : undefined,
      stage: (index) => {
        const stage = stages.get(index)
        if (stage === undefined) throw invalidArgument(`invalid stage index ${index}`)
        const known = started.get(index) ?? buildStage(run, stage)
        started.set(index, known)
        return known
      },
      context: (name) => this.#context(name),
    }
    for (const stage of stages.values()) announceStage(run, stage)
    this.#host.onPlan?.([...stages].map(([stage, { evaluated }]) => ({ stage, steps: 1 + evaluated.steps.length })))
    await this.#all(plan.stages.map(({ stage }) => run.stage(stage.index)))
    const images: (BuiltImage & { id: Digest | undefined })[] = []
    for (const [index, { stage }] of plan.targets.entries()) {
      const built = stages.get(stage.index)
      if (built === undefined) continue
      images.push(await this.#finish(index, built, await run.stage(stage.index), bases, exporter))
    }
    const states = await Promise.all(plan.stages.map(({ stage }) => run.stage(stage.index)))
    const stacks = { results: images.map(({ layers }) => layers), stages: states.map(({ layers }) => layers) }
    await exporter.exportCaches(this.#request, stacks, this.#host)
    return { images }
  }

  /** Waits for all; the first failure ends the others, and is the one that is told. */
  async #all(work: readonly Promise<unknown>[]): Promise<void> {
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

  async #finish(
    target: number,
    stage: StageToBuild,
    state: StageState,
    bases: BaseImages,
    exporter: BuildExporter,
  ): Promise<BuiltImage & { id: Digest | undefined }> {
    const wanted = this.#request.targets[target]
    const config = configOf(stage, state, stage.evaluated.image, this.#request)
    const epoch = sourceDateEpoch(this.#request.buildArgs)
    const image: BuiltImage = {
      target,
      stage: stage.planned.stage.name,
      platform: stage.platform,
      config,
      layers: state.layers,
      materials: [...bases.materials, ...this.#materials],
      ...(epoch === undefined ? {} : { sourceDateEpoch: epoch }),
    }
    const outputs = wanted === undefined || wanted.outputs.length === 0 ? [imageOutput] : wanted.outputs
    const { images } = this.#parts
    const squashed = this.#request.squash ? await squashImage(images, this.#holds, image, this.#host) : image
    let id: Digest | undefined
    for (const [output, { type }] of outputs.entries()) {
      const values = await this.#export(squashed, output, type, exporter)
      const made = values['containerimage.config.digest']
      if (type === 'image' && isDigest(made)) id = made
      this.#host.emit({ type: 'metadata', target, values })
    }
    return { ...image, id }
  }

  async #export(
    image: BuiltImage,
    output: number,
    type: BuildOutputType,
    exporter: BuildExporter,
  ): Promise<Readonly<Record<string, unknown>>> {
    const wanted = { target: image.target, output, request: this.#request }
    if (type === 'cacheonly') return {}
    const vertex = this.#vertexes.begin(`export ${image.target}.${output}`, exportNames[type])
    try {
      const values = await exporter.export(image, wanted, this.#host)
      vertex.done()
      return values
    } catch (error) {
      vertex.fail(error)
      throw error
    }
  }

  #context(name: string): Promise<FileContext | undefined> {
    const known = this.#contexts.get(name)
    if (known !== undefined) return known
    const opened = this.#open(name)
    this.#contexts.set(name, opened)
    return opened
  }

  /** The client of a session has applied the ignore file itself. */
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

const imageOutput = { type: 'image', attrs: {} } as const

const exportNames: Readonly<Record<Exclude<BuildOutputType, 'cacheonly'>, string>> = {
  image: 'exporting to image',
  registry: 'exporting to image',
  docker: 'exporting to docker image format',
  oci: 'exporting to oci image format',
  tar: 'exporting to client tarball',
  local: 'exporting to client directory',
}

function checkRequest(request: BuildRequest): void {
  if (request.targets.length === 0) throw invalidArgument('a build without a target')
  if ((request.platforms?.length ?? 0) > 1) throw notImplemented('a build for several platforms at once')
}

function bound(host: BuildHost): BuildHost {
  return {
    signal: host.signal,
    emit: (event) => host.emit(event),
    ...(host.onPlan === undefined ? {} : { onPlan: (stages) => host.onPlan?.(stages) }),
    ...(host.onStep === undefined ? {} : { onStep: (report) => host.onStep?.(report) }),
    openContext: (name) => host.openContext(name),
    secret: (id) => host.secret(id),
    ...(host.hasSsh === undefined ? {} : { hasSsh: host.hasSsh.bind(host) }),
    ...(host.openSsh === undefined ? {} : { openSsh: host.openSsh.bind(host) }),
    authOf: (registry) => host.authOf(registry),
    ...(host.openOutput === undefined ? {} : { openOutput: host.openOutput.bind(host) }),
    ...(host.readCacheFile === undefined ? {} : { readCacheFile: host.readCacheFile.bind(host) }),
  }
}

function cancelled(cause: unknown): BerthError {
  return new BerthError('cancelled', 'context canceled', { cause })
}

function kebab(rule: string): string {
  return rule.replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase()
}
