/** Framing of multiplexed output: every chunk has an 8-byte header: stream number, three zero bytes,
 *  length as a big-endian 32-bit number. */
import type { OutputStream } from '../../base/index.ts'

export const frameHeaderBytes = 8

/** Content type of a raw stream: with a terminal, or of a server that doesn't say. */
export const rawStreamType = 'application/vnd.docker.raw-stream'
/** Content type of a stream of frames. */
export const multiplexedStreamType = 'application/vnd.docker.multiplexed-stream'

/** Writes a frame's header at `offset`. Byte by byte: Buffer's own methods check their arguments,
 *  which shows when lines are short. */
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
