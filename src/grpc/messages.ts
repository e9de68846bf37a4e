/** Messages inside an HTTP/2 stream: `u8 compressed | u32be length | bytes`. */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { GrpcError, grpcCode } from './grpc-error.ts'

const headBytes = 5
/** Far above any message that a peer sends. */
const maxMessageBytes = 64 * 1024 * 1024

/** Encodes a message and puts its head in front. */
export function frameMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const bytes = toBinary(schema, message)
  const frame = Buffer.allocUnsafe(headBytes + bytes.length)
  frame.writeUInt8(0, 0)
  frame.writeUInt32BE(bytes.length, 1)
  frame.set(bytes, headBytes)
  return frame
}

/** Decodes the messages of a stream. Throws `GrpcError` for bytes that are not a message. */
export async function* readMessages<Desc extends DescMessage>(
  schema: Desc,
  source: AsyncIterable<Buffer>,
): AsyncGenerator<MessageShape<Desc>, void, undefined> {
  let pieces: Buffer[] = []
  let length = 0
  for await (const chunk of source) {
    pieces.push(chunk)
    length += chunk.length
    const wanted = wantedBytes(pieces, length)
    if (wanted === undefined || length < wanted) continue
    let bytes = pieces.length === 1 ? chunk : Buffer.concat(pieces, length)
    for (let size = sizeOf(bytes); size !== undefined && bytes.length >= size; size = sizeOf(bytes)) {
      yield parse(schema, bytes.subarray(headBytes, size))
      bytes = bytes.subarray(size)
    }
    pieces = bytes.length === 0 ? [] : [bytes]
    length = bytes.length
  }
  if (length > 0) throw new GrpcError(grpcCode.internal, 'the stream ended within a message')
}

/** How many bytes must have arrived before the pieces are joined: the head and its message, or the head alone if more
 *  than one piece holds it. Undefined while the head is not complete. */
function wantedBytes(pieces: readonly Buffer[], length: number): number | undefined {
  const [first] = pieces
  if (first === undefined || length < headBytes) return undefined
  return first.length >= headBytes ? sizeOf(first) : headBytes
}

function sizeOf(bytes: Buffer): number | undefined {
  if (bytes.length < headBytes) return undefined
  if (bytes.readUInt8(0) !== 0) throw new GrpcError(grpcCode.unimplemented, 'compressed messages are not supported')
  const size = bytes.readUInt32BE(1)
  if (size > maxMessageBytes) throw new GrpcError(grpcCode.internal, `a message of ${size} bytes is too long`)
  return headBytes + size
}

function parse<Desc extends DescMessage>(schema: Desc, bytes: Buffer): MessageShape<Desc> {
  try {
    return fromBinary(schema, bytes)
  } catch (cause) {
    throw new GrpcError(grpcCode.internal, `a message is not a valid ${schema.typeName}`, { cause })
  }
}
