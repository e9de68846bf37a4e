/** The registry's errors. Each has a code of the OCI specification, or one of Docker's registry where OCI has none. One
 *  table has their statuses. https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
import { BerthError, type ErrorKind } from '../../../base/index.ts'

/** The codes in error answers. */
export type RegistryErrorCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DENIED'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'PAGINATION_NUMBER_INVALID'
  | 'SIZE_INVALID'
  | 'TOOMANYREQUESTS'
  | 'UNAUTHORIZED'
  | 'UNAVAILABLE'
  | 'UNKNOWN'
  | 'UNSUPPORTED'

interface CodeRow {
  readonly status: number
  readonly kind: ErrorKind
  readonly message: string
}

const rows: Readonly<Record<RegistryErrorCode, CodeRow>> = {
  BLOB_UNKNOWN: { status: 404, kind: 'notFound', message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, kind: 'invalidArgument', message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, kind: 'notFound', message: 'blob upload unknown to registry' },
  DENIED: { status: 403, kind: 'forbidden', message: 'requested access to the resource is denied' },
  DIGEST_INVALID: {
    status: 400,
    kind: 'invalidArgument',
    message: 'provided digest did not match uploaded content',
  },
  MANIFEST_BLOB_UNKNOWN: {
    status: 404,
    kind: 'notFound',
    message: 'manifest references a manifest or blob unknown to registry',
  },
  MANIFEST_INVALID: { status: 400, kind: 'invalidArgument', message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, kind: 'notFound', message: 'manifest unknown to registry' },
  NAME_INVALID: { status: 400, kind: 'invalidArgument', message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, kind: 'notFound', message: 'repository name not known to registry' },
  PAGINATION_NUMBER_INVALID: {
    status: 400,
    kind: 'invalidArgument',
    message: 'invalid number of results requested',
  },
  SIZE_INVALID: { status: 400, kind: 'invalidArgument', message: 'provided length did not match content length' },
  TOOMANYREQUESTS: { status: 429, kind: 'unavailable', message: 'too many requests' },
  UNAUTHORIZED: { status: 401, kind: 'unauthorized', message: 'authentication required' },
  UNAVAILABLE: { status: 503, kind: 'unavailable', message: 'service unavailable' },
  UNKNOWN: { status: 500, kind: 'internal', message: 'unknown error' },
  UNSUPPORTED: { status: 405, kind: 'notImplemented', message: 'the operation is unsupported' },
}

export interface RegistryErrorOptions {
  /** Default: the code's status and message. */
  readonly status?: number | undefined
  readonly message?: string | undefined
  /** Any JSON value that helps the client. */
  readonly detail?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Further errors of the same answer, for example one for each missing blob. */
  readonly others?: readonly RegistryErrorEntry[] | undefined
  readonly cause?: unknown
}

/** One entry of an answer's `errors`. */
export interface RegistryErrorEntry {
  readonly code: RegistryErrorCode
  readonly message: string
  readonly detail?: unknown
}

/** An error that is sent to the client as it is: status, headers and entries. */
export class RegistryError extends BerthError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly entries: readonly RegistryErrorEntry[]

  constructor(code: RegistryErrorCode, options: RegistryErrorOptions = {}) {
    const row = rows[code]
    const message = options.message ?? row.message
    super(row.kind, message, options.cause === undefined ? {} : { cause: options.cause })
    this.status = options.status ?? row.status
    this.headers = options.headers ?? {}
    this.entries = [errorEntry(code, options), ...(options.others ?? [])]
  }

  get code(): RegistryErrorCode {
    return this.entries[0]?.code ?? 'UNKNOWN'
  }
}

/** Makes an entry of `errors`. */
export function errorEntry(
  code: RegistryErrorCode,
  { message, detail }: Pick<RegistryErrorOptions, 'message' | 'detail'> = {},
): RegistryErrorEntry {
  return { code, message: message ?? rows[code].message, ...(detail === undefined ? {} : { detail }) }
}

/** Turns any error into one that can be sent. Unexpected errors become 500 UNKNOWN without their message, which could
 *  contain paths or keys. */
export function toRegistryError(error: unknown): RegistryError {
  if (error instanceof RegistryError) return error
  const kind = error instanceof BerthError ? error.kind : 'internal'
  const message = error instanceof BerthError ? error.message : undefined
  switch (kind) {
    case 'invalidArgument':
      return new RegistryError('UNSUPPORTED', { status: 400, message, cause: error })
    case 'unauthorized':
      return new RegistryError('UNAUTHORIZED', { message, cause: error })
    case 'forbidden':
      return new RegistryError('DENIED', { message, cause: error })
    case 'notFound':
      return new RegistryError('UNSUPPORTED', { status: 404, message, cause: error })
    case 'conflict':
    case 'alreadyExists':
      return new RegistryError('BLOB_UPLOAD_INVALID', { status: 409, message, cause: error })
    case 'notImplemented':
      return new RegistryError('UNSUPPORTED', { message, cause: error })
    case 'unavailable':
      return new RegistryError('UNAVAILABLE', { message, headers: { 'Retry-After': '5' }, cause: error })
    default:
      return new RegistryError('UNKNOWN', { cause: error })
  }
}
