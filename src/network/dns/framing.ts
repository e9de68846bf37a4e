/** Messages on a TCP connection: two bytes of length before each (RFC 1035, 4.2.2). Pure. */

/** A message with its length in front. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.from([message.length >> 8, message.length & 255])
  return Buffer.concat([length, message])
}

/** Cuts a stream into messages. Keeps less than one message (65 537 bytes) between two pushes. */
export class MessageReader {
  readonly #onMessage: (message: Buffer) => void
  #rest: Buffer = Buffer.alloc(0)

  constructor(onMessage: (message: Buffer) => void) {
    this.#onMessage = onMessage
  }

  /** Takes the next bytes; calls back for each message that is complete. */
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
