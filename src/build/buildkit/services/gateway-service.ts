/** `moby.buildkit.v1.frontend.LLBBridge`: over it a client drives the build that it began with `Control.Solve`. */
import type { IncomingHttpHeaders } from 'node:http2'
import type { MessageInitShape } from '@bufbuild/protobuf'
import { invalidArgument, notImplemented } from '../../../base/index.ts'
import { GrpcError, grpcCode, type Handlers, type ServerCall } from '../../../grpc/index.ts'
import type { LLBBridge, Result, ResultSchema, SolveRequest } from '../gen/gateway_pb.ts'
import type { Definition } from '../gen/pb_pb.ts'
import { definitionOf, inputsOf, resultOf } from '../solve/build-results.ts'
import type { SolveJob } from '../solve/solve-job.ts'
import type { SolveJobs } from '../solve/solve-jobs.ts'
import { frontendCapabilities, llbCapabilities } from './capabilities.ts'
import { workerRecord } from './worker-record.ts'

export interface GatewayParts {
  readonly jobs: SolveJobs
  readonly workerId: string
}

/** The service's methods. Which build a call is for stands in its headers. */
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
      await (await jobOf(call)).find(ref).built
      return {}
    },
    inputs: async () => ({ definitions: {} }),
    warn: async () => ({}),
  }
}

async function solve(job: SolveJob, request: SolveRequest): Promise<MessageInitShape<typeof ResultSchema>> {
  const { frontend, frontendOpt: attrs, definition, cacheImports, frontendInputs } = request
  if (frontend === '') return resultOfDefinition(definition)
  const options = { frontend, attrs, cacheImports, inputs: inputsOf(frontendInputs) }
  const question = attrs.requestid ?? ''
  if (question !== '') return { metadata: { ...(await job.ask(question, options)) } }
  const build = job.start(options)
  await build.built
  return refResult(build.id)
}

/** A client that looks at a result solves it once more. */
function resultOfDefinition(definition: Definition | undefined): MessageInitShape<typeof ResultSchema> {
  if (definition === undefined || definition.def.length === 0) return {}
  const id = resultOf(definition)
  if (id === undefined) throw notImplemented('a build given as LLB')
  return refResult(id)
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
