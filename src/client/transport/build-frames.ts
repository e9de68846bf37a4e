/** Frames of a build session: `u8 kind | u32be channel | u32be length | payload`. */
import { buildFrame, maxBuildFrameBytes, maxBuildMessageBytes } from '../../api/index.ts'
import { BerthError } from '../../base/index.ts'

/** The length of a frame's head. */
const frameHeadBytes = 9

/** One frame of a build session. */
export interface BuildFrame {
  /** One of `buildFrame`. */
  readonly kind: number
  readonly channel: number
  readonly payload: Buffer
}

/** Encodes the head of a frame. */
export function formatFrameHead(kind: number, channel: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(frameHeadBytes)
  head[0] = kind
  head.writeUInt32BE(channel, 1)
  head.writeUInt32BE(length, 5)
  return head
}

/** Splits a stream of bytes into frames. */
export class FrameParser {
  #parts: Buffer[] = []
  #size = 0
  #head: { readonly kind: number; readonly channel: number; readonly length: number } | undefined;

  /** The frames that these bytes complete. Throws `dataLoss` for bytes that are not a frame. */
  *push(chunk: Buffer): Iterable<BuildFrame> {
    this.#parts.push(chunk)
    this.#size += chunk.length
    for (;;) {
      if (this.#head === undefined) {
        if (this.#size < frameHeadBytes) return
        this.#head = parseHead(this.#take(frameHeadBytes))
      }
      const { kind, channel, length } = this.#head
      if (this.#size < length) return
      this.#head = undefined
      yield { kind, channel, payload: this.#take(length) }
    }
  }

  /** True when no frame is incomplete. */
  get isBetween(): boolean {
    return this.#head === undefined && this.#size === 0
  }

  #take(length: number): Buffer {
    const first = this.#parts[0]
    this.#size -= length
    if (first !== undefined && first.length > length) {
      this.#parts[0] = first.subarray(length)
      return first.subarray(0, length)
    }
    const all = this.#parts.length === 1 && first !== undefined ? first : Buffer.concat(this.#parts)
    this.#parts = all.length > length ? [all.subarray(length)] : []
    return all.subarray(0, length)
  }
}

function parseHead(head: Buffer): { readonly kind: number; readonly channel: number; readonly length: number } {
  const [kind = 0] = head
  const length = head.readUInt32BE(5)
  const limit = kind === buildFrame.message ? maxBuildMessageBytes : maxBuildFrameBytes
  if (kind > buildFrame.end || length > limit) {
    throw new BerthError('dataLoss', 'malformed build session: not a frame')
  }
  return { kind, channel: head.readUInt32BE(1), length }
}
