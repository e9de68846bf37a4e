/** Why a body that came straight from its connection could not be taken completely. */
export type BodyFaultKind =
  /** The client closed the connection before the end, or the server did. */
  | 'gone'
  /** The client sent nothing for too long. */
  | 'silent'
  | 'tooLong'
  /** Its chunks are none. */
  | 'malformed'

export class BodyFault extends Error {
  readonly kind: BodyFaultKind

  constructor(kind: BodyFaultKind) {
    super(`the body is ${kind}`)
    this.kind = kind
  }
}
