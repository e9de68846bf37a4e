/** Turns a failure into the error that BuildKit's clients expect, with the lines of the Dockerfile. */
import { create, toBinary } from '@bufbuild/protobuf'
import { isBerthError, isKind, messageOf } from '../../../base/index.ts'
import { type GrpcDetail, GrpcError, grpcCode } from '../../../grpc/index.ts'
import { DockerfileError } from '../../dockerfile/index.ts'
import { CommandFailedError } from '../../model/build-errors.ts'
import { SourceSchema } from '../gen/errdefs_pb.ts'

/** The Dockerfile of the build. */
export interface SolvedDockerfile {
  readonly name: string
  readonly text: string
}

/** Makes the error from anything that was thrown. */
export function toSolveError(error: unknown, dockerfile: SolvedDockerfile | undefined): GrpcError {
  if (error instanceof GrpcError) return error
  if (isKind(error, 'cancelled')) return new GrpcError(grpcCode.cancelled, 'context canceled', { cause: error })
  const source = sourceOf(error, dockerfile)
  // For any other code, clients show its name in front of the message, once for each service it passed through.
  const details = source === undefined ? [] : [source]
  return new GrpcError(grpcCode.unknown, toldOf(error), { cause: error, details })
}

/** The message for clients. A `notImplemented` error may name only the feature; then the rest is added. */
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
