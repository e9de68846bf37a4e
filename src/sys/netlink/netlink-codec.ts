/** Encodes and decodes netlink messages: header, family header, attributes. Pure; the socket is in `netlink-socket.ts`.
 *  Numbers are in host byte order, which is little endian on all supported architectures, unless a protocol says
 *  otherwise.
 *  https://www.kernel.org/doc/html/latest/userspace-api/netlink/intro.html */

/** Flags of `struct nlmsghdr`. */
export const netlinkFlags = {
  request: 0x1,
  multi: 0x2,
  ack: 0x4,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  dump: 0x300,
} as const

/** A request, without its sequence number, which the socket assigns. */
export interface NetlinkRequest {
  readonly type: number
  readonly flags: number
  /** Family header and attributes. */
  readonly body: Buffer
  /** Purpose of the request, for the error when the kernel refuses it. */
  readonly label: string
}

/** A message from the kernel. */
export interface NetlinkReply {
  readonly type: number
  readonly flags: number
  readonly sequence: number
  /** In an answer, the netlink address of the request's socket; in a notification, of the socket that made the
   *  change. */
  readonly sender: number
  readonly body: Buffer
}

const headerSize = 16
const nestedFlag = 0x8000
const typeMask = 0x3fff

/** Formats one attribute. A number is written with 32 bits, a string with a terminating zero. */
export function attribute(type: number, value: Buffer | string | number): Buffer {
  const payload = typeof value === 'number' ? uint32(value) : typeof value === 'string' ? cString(value) : value
  const bytes = Buffer.alloc(align(4 + payload.length))
  bytes.writeUInt16LE(4 + payload.length, 0)
  bytes.writeUInt16LE(type, 2)
  payload.copy(bytes, 4)
  return bytes
}

/** Formats an attribute that contains other attributes, or a family header and attributes. */
export function nested(type: number, ...parts: readonly Buffer[]): Buffer {
  return attribute(type | nestedFlag, Buffer.concat(parts))
}

/** Formats a request. */
export function formatRequest(request: NetlinkRequest, sequence: number): Buffer {
  const bytes = Buffer.alloc(align(headerSize + request.body.length))
  bytes.writeUInt32LE(headerSize + request.body.length, 0)
  bytes.writeUInt16LE(request.type, 4)
  bytes.writeUInt16LE(request.flags, 6)
  bytes.writeUInt32LE(sequence, 8)
  request.body.copy(bytes, headerSize)
  return bytes
}

/** Parses the messages in one datagram. Bodies are copies, so that the receive buffer can be reused. */
export function parseReplies(bytes: Buffer): NetlinkReply[] {
  const replies: NetlinkReply[] = []
  for (let offset = 0; offset + headerSize <= bytes.length; ) {
    const length = bytes.readUInt32LE(offset)
    if (length < headerSize || offset + length > bytes.length) break
    replies.push({
      type: bytes.readUInt16LE(offset + 4),
      flags: bytes.readUInt16LE(offset + 6),
      sequence: bytes.readUInt32LE(offset + 8),
      sender: bytes.readUInt32LE(offset + 12),
      body: Buffer.from(bytes.subarray(offset + headerSize, offset + length)),
    })
    offset += align(length)
  }
  return replies
}

/** Parses attributes by type, from the offset `start`, after the family header. If a type occurs twice, the last value
 *  counts. */
export function parseAttributes(bytes: Buffer, start = 0): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>()
  for (let offset = start; offset + 4 <= bytes.length; ) {
    const length = bytes.readUInt16LE(offset)
    if (length < 4 || offset + length > bytes.length) break
    attributes.set(bytes.readUInt16LE(offset + 2) & typeMask, bytes.subarray(offset + 4, offset + length))
    offset += align(length)
  }
  return attributes
}

/** The text of a string attribute, without its terminating zero. */
export function attributeText(value: Buffer | undefined): string {
  if (value === undefined) return ''
  const end = value.indexOf(0)
  return value.toString('utf8', 0, end === -1 ? value.length : end)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function cString(value: string): Buffer {
  return Buffer.from(`${value}\0`)
}

function align(length: number): number {
  return (length + 3) & ~3
}
