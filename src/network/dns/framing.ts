/** DNS messages on a TCP connection: each follows its length in two bytes (RFC 1035, 4.2.2). Pure. */

/** The message with its length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.from([message.length >> 8, message.length & 255])
  return Buffer.concat([length, message])
}

/** Cuts a stream into messages. Keeps less than one message (65,537 bytes) between two pushes. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage
  }

  /** Takes the next bytes of the stream, and calls back for each complete message. */
  push(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    while (bytes.length >= 2) {
      const end = 2 + bytes.readUInt16BE(0)
      if (bytes.length < end) break
      this.#onMessage(bytes.subarray(2, end))
      bytes = bytes.subarray(end)
    }
    // A copy: the rest must not keep a large chunk alive.
    this.#rest = Buffer.from(bytes)
  }
}
