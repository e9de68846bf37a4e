/** Failures in gRPC's terms. https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
import { type ErrorKind, isBerthError, messageOf } from '../base/index.ts'

/** The status codes that Berth uses. */
export const grpcCode = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  resourceExhausted: 8,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const

/** One message in the details of an error: the name of its type, and its encoded bytes. */
export interface GrpcDetail {
  readonly typeUrl: string
  readonly value: Uint8Array
}

/** A call that ended with a status other than OK. `code` is one of `grpcCode`. */
export class GrpcError extends Error {
  readonly code: number
  readonly details: readonly GrpcDetail[]

  constructor(code: number, message: string, options: { details?: readonly GrpcDetail[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'GrpcError'
    this.code = code
    this.details = options.details ?? []
  }
}

/** Turns anything that was thrown into a GrpcError; the code of a BerthError follows from its kind. */
export function toGrpcError(error: unknown): GrpcError {
  if (error instanceof GrpcError) return error
  const code = isBerthError(error) ? codeOf(error.kind) : grpcCode.unknown
  return new GrpcError(code, messageOf(error), { cause: error })
}

/** gRPC's status code for a kind of BerthError. */
function codeOf(kind: ErrorKind): number {
  switch (kind) {
    case 'invalidArgument':
      return grpcCode.invalidArgument
    case 'unauthorized':
      return grpcCode.unauthenticated
    case 'forbidden':
      return grpcCode.permissionDenied
    case 'notFound':
      return grpcCode.notFound
    case 'conflict':
    case 'notModified':
      return grpcCode.failedPrecondition
    case 'alreadyExists':
      return grpcCode.alreadyExists
    case 'notImplemented':
      return grpcCode.unimplemented
    case 'unavailable':
      return grpcCode.unavailable
    case 'noSpace':
      return grpcCode.resourceExhausted
    case 'cancelled':
      return grpcCode.cancelled
    case 'dataLoss':
      return grpcCode.dataLoss
    case 'internal':
      return grpcCode.unknown
    default:
      return kind satisfies never
  }
}
