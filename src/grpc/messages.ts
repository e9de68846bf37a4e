/** Messages in an HTTP/2 stream: `u8 compressed | u32be length | bytes`. */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf'
import { GrpcError, grpcCode } from './grpc-error.ts'

const headBytes = 5
/** What peers send at once is far below. */
const maxMessageBytes = 64 * 1024 * 1024

/** A message with its head. */
export function frameMessage<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): Buffer {
  const bytes = toBinary(schema, message)
  const frame = Buffer.allocUnsafe(headBytes + bytes.length)
  frame.writeUInt8(0, 0)
  frame.writeUInt32BE(bytes.length, 1)
  frame.set(bytes, headBytes)
  return frame
}

/** The messages of a stream. Throws `GrpcError` for what is none. */
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

/** How much the first message needs, as far as it can be told without joining the pieces. */
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
    throw new GrpcError(grpcCode.internal, `a message is no ${schema.typeName}`, { cause })
  }
}
