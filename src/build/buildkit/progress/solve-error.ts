/** What ended a build, with the lines of the Dockerfile that BuildKit's clients show. */
import { create, toBinary } from '@bufbuild/protobuf'
import { isBerthError, isKind, messageOf } from '../../../base/index.ts'
import { type GrpcDetail, GrpcError, grpcCode } from '../../../grpc/index.ts'
import { DockerfileError } from '../../dockerfile/index.ts'
import { CommandFailedError } from '../../model/build-errors.ts'
import { SourceSchema } from '../gen/errdefs_pb.ts'

/** The Dockerfile that was built. */
export interface SolvedDockerfile {
  readonly name: string
  readonly text: string
}

/** Makes it of anything that was thrown. */
export function toSolveError(error: unknown, dockerfile: SolvedDockerfile | undefined): GrpcError {
  if (error instanceof GrpcError) return error
  if (isKind(error, 'cancelled')) return new GrpcError(grpcCode.cancelled, 'context canceled', { cause: error })
  const source = sourceOf(error, dockerfile)
  // Clients show any other class in front of the message, once for each time that it passed through them.
  const details = source === undefined ? [] : [source]
  return new GrpcError(grpcCode.unknown, toldOf(error), { cause: error, details })
}

/** What isn't built has only its name as message. */
function toldOf(error: unknown): string {
  const message = messageOf(error)
  const isTold = !isKind(error, 'notImplemented') || /not (?:implemented|supported)/.test(message)
  return isTold ? message : `${message} is not implemented in this version of Berth`
}

function sourceOf(error: unknown, dockerfile: SolvedDockerfile | undefined): GrpcDetail | undefined {
  const range = rangeOf(error)
  if (range === undefined || dockerfile === undefined) return undefined
  const source = create(SourceSchema, {
    info: { filename: dockerfile.name, data: Buffer.from(dockerfile.text), language: 'Dockerfile' },
    ranges: [{ start: { line: range.first, character: 0 }, end: { line: range.last, character: 0 } }],
  })
  return { typeUrl: SourceSchema.typeName, value: toBinary(SourceSchema, source) }
}

function rangeOf(error: unknown): { readonly first: number; readonly last: number } | undefined {
  if (error instanceof DockerfileError || error instanceof CommandFailedError)
    return { first: error.range.start.line, last: error.range.end.line }
  const line = isBerthError(error) ? error.details.line : undefined
  return typeof line === 'number' ? { first: line, last: line } : undefined
}
