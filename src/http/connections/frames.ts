/** The frames of multiplexed output. Every chunk has an 8-byte header: the stream's number, three zero bytes, and the
 *  length as a big-endian 32-bit number. https://docs.docker.com/reference/api/engine/ (attach, "Stream format") */
import type { OutputStream } from '../../base/index.ts'

/** The length of a frame's header. */
export const frameHeaderBytes = 8

/** The content type of a raw stream: with a terminal, or from a server that does not say. */
export const rawStreamType = 'application/vnd.docker.raw-stream'
/** The content type of a stream of frames. */
export const multiplexedStreamType = 'application/vnd.docker.multiplexed-stream'

/** Writes a frame's header at `offset`. It writes single bytes, because Buffer's own methods check their arguments,
 *  which is measurable when lines are short. */
export function writeFrameHeader(target: Uint8Array, offset: number, stream: OutputStream, length: number): void {
  target[offset] = stream === 'stdout' ? 1 : 2
  target[offset + 1] = 0
  target[offset + 2] = 0
  target[offset + 3] = 0
  target[offset + 4] = length >>> 24
  target[offset + 5] = length >>> 16
  target[offset + 6] = length >>> 8
  target[offset + 7] = length
}
