/** `moby.buildkit.v1.frontend.LLBBridge`: through it a client drives the build that it started with `Control.Solve`. */
import type { IncomingHttpHeaders } from 'node:http2'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { invalidArgument } from '../../../base/index.ts'
import { GrpcError, grpcCode, type Handlers, type ServerCall } from '../../../grpc/index.ts'
import type {
  LLBBridge,
  ResolveImageConfigResponseSchema,
  Result,
  ResultSchema,
  SolveRequest,
} from '../gen/gateway_pb.ts'
import type { Definition, Platform } from '../gen/pb_pb.ts'
import { sourceDefinition } from '../request/llb-source.ts'
import { definitionOf } from '../solve/build-results.ts'
import type { SolveJob } from '../solve/solve-job.ts'
import type { SolveJobs } from '../solve/solve-jobs.ts'
import { frontendCapabilities, llbCapabilities } from './capabilities.ts'
import { workerRecord } from './worker-record.ts'

/** What the service works with. */
export interface GatewayParts {
  readonly jobs: SolveJobs
  readonly workerId: string
}

/** The methods of the service. A header of each call names the job. */
export function gatewayService({ jobs, workerId }: GatewayParts): Handlers<typeof LLBBridge> {
  const jobOf = async ({ metadata, signal }: ServerCall) => await jobs.find(refOf(metadata), signal)
  return {
    ping: async (_request, call) => {
      await jobOf(call)
      return {
        frontendApiCaps: frontendCapabilities,
        llbCaps: llbCapabilities,
        workers: [workerRecord(workerId)],
      }
    },
    solve: async (request, call) => ({ result: await solve(await jobOf(call), request) }),
    return: async ({ result, error }, call) => {
      const job = await jobOf(call)
      if (error !== undefined && error.code !== grpcCode.ok)
        job.decide({ error: new GrpcError(error.code, error.message, { details: error.details }) })
      else job.decide({ refs: refsOf(result).filter((id) => id !== '') })
      return {}
    },
    evaluate: async ({ ref }, call) => {
      await (await jobOf(call)).builds.find(ref).built
      return {}
    },
    readFile: async ({ ref, filePath, range }, call) => {
      const files = await (await jobOf(call)).builds.files(ref)
      const part = { offset: Number(range?.offset ?? 0n), length: Number(range?.length ?? 0n) }
      return { data: await files.read(filePath, part) }
    },
    readDir: async ({ ref, dirPath, includePattern }, call) => {
      const files = await (await jobOf(call)).builds.files(ref)
      return { entries: [...(await files.list(dirPath, includePattern))] }
    },
    statFile: async ({ ref, path }, call) => ({ stat: await (await (await jobOf(call)).builds.files(ref)).stat(path) }),
    resolveImageConfig: async ({ ref, platform, resolveMode }, call) =>
      await resolveImage(await jobOf(call), ref, platform, resolveMode),
    inputs: async () => ({ definitions: {} }),
    warn: async (warning, call) => {
      const { level, short, detail, url, info, ranges } = warning
      const shown = { vertex: warning.digest, level, short, detail, url, ranges }
      ;(await jobOf(call)).progress.warn(info === undefined ? shown : { ...shown, info })
      return {}
    },
  }
}

async function solve(job: SolveJob, request: SolveRequest): Promise<MessageInitShape<typeof ResultSchema>> {
  const { frontend, frontendOpt: attrs, definition, cacheImports, frontendInputs } = request
  if (frontend === '') return await resultOfDefinition(job, definition)
  const options = { frontend, attrs, cacheImports, inputs: await job.builds.inputsOf(frontendInputs) }
  const question = attrs.requestid ?? ''
  if (question !== '') return { metadata: { ...(await job.ask(question, options)) } }
  const build = job.builds.start(options)
  await build.built
  return refResult(build.id)
}

/** Solves an LLB definition. A client that wants to read a result solves its definition again. */
async function resultOfDefinition(
  job: SolveJob,
  definition: Definition | undefined,
): Promise<MessageInitShape<typeof ResultSchema>> {
  if (definition === undefined || definition.def.length === 0) return {}
  const id = job.builds.startDefinition(definition)
  if (job.builds.has(id)) await job.builds.find(id).built
  return refResult(id)
}

/** Gives an image's digest and configuration. They are found by a build of an LLB source with that image. */
async function resolveImage(
  job: SolveJob,
  ref: string,
  platform: Platform | undefined,
  resolveMode: string,
): Promise<MessageInitShape<typeof ResolveImageConfigResponseSchema>> {
  const identifier = `docker-image://${ref}`
  const attrs: Record<string, string> = resolveMode === 'pull' ? { 'image.resolvemode': 'pull' } : {}
  const [image] = await job.builds.find(job.builds.startDefinition(sourceDefinition(identifier, attrs, platform))).built
  if (image === undefined) throw invalidArgument(`no image ${ref}`)
  const digest = image.materials.find(({ kind }) => kind === 'image')?.digest ?? ''
  return { digest, config: Buffer.from(JSON.stringify(image.config)), ref }
}

function refResult(id: string): MessageInitShape<typeof ResultSchema> {
  return { result: { case: 'ref', value: { id, def: definitionOf(id) } } }
}

function refsOf(result: Result | undefined): readonly string[] {
  const given = result?.result
  switch (given?.case) {
    case 'ref':
      return [given.value.id]
    case 'refs':
      return Object.values(given.value.refs).map(({ id }) => id)
    case 'refDeprecated':
      return [given.value]
    case 'refsDeprecated':
      return Object.values(given.value.refs)
    default:
      return []
  }
}

function refOf(metadata: IncomingHttpHeaders): string {
  const ref = metadata['buildkit-controlapi-buildid']
  if (typeof ref !== 'string') throw invalidArgument('no buildid found in context')
  return ref
}
