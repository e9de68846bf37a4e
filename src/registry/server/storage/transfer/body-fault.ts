/** Why a body that was read from its connection is incomplete. */
export type BodyFaultKind =
  /** The client or the server closed the connection before the end. */
  | 'gone'
  /** The client sent nothing for too long. */
  | 'silent'
  /** The body is longer than allowed. */
  | 'tooLong'
  /** The chunked encoding is malformed. */
  | 'malformed'

/** The error of an incomplete body. */
export class BodyFault extends Error {
  readonly kind: BodyFaultKind

  constructor(kind: BodyFaultKind) {
    super(`the body is ${kind}`)
    this.kind = kind
  }
}
