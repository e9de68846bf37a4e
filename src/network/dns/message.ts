/** The DNS messages of the embedded server: reading queries and writing answers. An answer repeats the bytes of the
 *  question, so that clients that vary its case (draft-vixie-dnsext-dns0x20) recognize it. Pure.
 *  RFC 1035 (messages), RFC 6891 (EDNS0). */
import { type Answer, decode, encode } from 'dns-packet'
import { internal } from '../../base/index.ts'

export type Transport = 'udp' | 'tcp'

/** A query with exactly one question. */
export interface Query {
  readonly bytes: Buffer
  readonly id: number
  /** In lower case, without the dot at the end; '' for the root. */
  readonly name: string
  /** `A`, `AAAA`, `PTR` and so on; `UNKNOWN_65` for a type without a name in the codec. */
  readonly type: string
  readonly isInternet: boolean
  /** Offset of the question's end in `bytes`. */
  readonly questionEnd: number
  /** Size of the largest answer that the client takes by UDP, in bytes. */
  readonly udpLimit: number
  readonly hasEdns: boolean
}

export const responseCode = { ok: 0, malformed: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const

const headerSize = 12
const flag = { response: 0x8000, opcode: 0x7800, truncated: 0x0200, recursionDesired: 0x0100, available: 0x0080 }
const plainUdpLimit = 512
/** The size of UDP messages that this server accepts (https://www.dnsflagday.net/2020/). */
const ownUdpLimit = 1232
/** The largest answer that this server sends by UDP, whatever the client takes. */
const largestUdpAnswer = 4096

/** Reads a query. For a message that is no valid query, gives the answer to it (a `Buffer`), or undefined if it must
 *  not be answered. */
export function parseQuery(bytes: Buffer): Query | Buffer | undefined {
  if (bytes.length < headerSize) return undefined
  const flags = bytes.readUInt16BE(2)
  // Answering an answer could make a loop.
  if ((flags & flag.response) !== 0) return undefined
  if ((flags & flag.opcode) !== 0) return bareResponse(bytes, responseCode.notImplemented)
  if (bytes.readUInt16BE(4) !== 1) return bareResponse(bytes, responseCode.malformed)
  try {
    const { questions, additionals } = decode(bytes)
    const [question] = questions ?? []
    const edns = additionals?.find((record) => record.type === 'OPT')
    if (question === undefined) return bareResponse(bytes, responseCode.malformed)
    const wanted = edns?.type === 'OPT' ? edns.udpPayloadSize : plainUdpLimit
    return {
      bytes,
      id: bytes.readUInt16BE(0),
      name: normalName(question.name),
      type: question.type,
      isInternet: question.class === undefined || question.class === 'IN' || question.class === 'ANY',
      questionEnd: endOfQuestion(bytes),
      udpLimit: Math.min(Math.max(wanted, plainUdpLimit), largestUdpAnswer),
      hasEdns: edns !== undefined,
    }
  } catch {
    // The codec throws plain errors for malformed messages.
    return bareResponse(bytes, responseCode.malformed)
  }
}

/** The normal form of a name, for comparisons: lower case (RFC 4343), without the dot at the end. */
export function normalName(name: string): string {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  return bare.toLowerCase()
}

/** A record that the server itself has for the name in the question. */
export type LocalRecord =
  | { readonly type: 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'PTR'; readonly data: string }

/** An answer with these records. None means that the name exists without a record of that type. By UDP the answer has
 *  as many as fit; if some are missing, a flag tells the client to ask by TCP. */
export function localResponse(
  query: Query,
  transport: Transport,
  records: readonly LocalRecord[],
  ttlSeconds: number,
): Buffer {
  const edns = query.hasEdns ? ednsRecord : Buffer.alloc(0)
  const room = transport === 'tcp' ? 65535 : query.udpLimit
  const answers: Buffer[] = []
  let size = query.questionEnd + edns.length
  for (const record of records) {
    const bytes = recordBytes(record, ttlSeconds)
    if (size + bytes.length > room) break
    answers.push(bytes)
    size += bytes.length
  }
  const truncated = answers.length < records.length
  const head = responseHead(query, responseCode.ok, { answers: answers.length, truncated })
  return Buffer.concat([head, ...answers, edns])
}

/** An answer with only a response code. */
export function errorResponse(query: Query, code: number): Buffer {
  return Buffer.concat([responseHead(query, code, {}), query.hasEdns ? ednsRecord : Buffer.alloc(0)])
}

/** A forwarded answer with the id of the client's query. One that is too large for UDP becomes an empty, truncated
 *  answer. */
export function relayedResponse(query: Query, transport: Transport, response: Buffer): Buffer {
  if (transport === 'udp' && response.length > query.udpLimit) {
    return responseHead(query, responseCodeOf(response), { truncated: true })
  }
  const bytes = Buffer.from(response)
  bytes.writeUInt16BE(query.id, 0)
  return bytes
}

/** True if a message answers `query`, which was sent with `id`: it has the same question, byte by byte. Answers with an
 *  error may leave the question out. */
export function isAnswerTo(response: Buffer, query: Query, id: number): boolean {
  if (response.length < headerSize || response.readUInt16BE(0) !== id) return false
  if ((response.readUInt16BE(2) & flag.response) === 0) return false
  if (response.readUInt16BE(4) === 0) return responseCodeOf(response) !== responseCode.ok
  const end = query.questionEnd
  if (response.length < end) return false
  return response.subarray(headerSize, end).equals(query.bytes.subarray(headerSize, end))
}

export function responseCodeOf(response: Buffer): number {
  return response.readUInt16BE(2) & 15
}

/** The name for the reverse lookup of an address (RFC 1035, 3.5; RFC 3596, 2.5). */
export function reverseName(address: string): string {
  const type = address.includes(':') ? 'AAAA' : 'A'
  const bytes = [...recordBytes({ type, data: address }, 0).subarray(recordHeaderSize)]
  if (type === 'A') return `${bytes.reverse().join('.')}.in-addr.arpa`
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}

/** An OPT record: root name, type, accepted UDP size, no flags, no options. */
const ednsRecord = Buffer.from([0, 0, 41, ownUdpLimit >> 8, ownUdpLimit & 255, 0, 0, 0, 0, 0, 0])
/** A pointer to the question's name. */
const toQuestion = Buffer.from([0xc0, headerSize])
/** Bytes of pointer, type, class, time to live and length. */
const recordHeaderSize = 12

function recordBytes(record: LocalRecord, ttl: number): Buffer {
  const answer: Answer = { type: record.type, name: '.', ttl, class: 'IN', data: record.data }
  const message = encode({ type: 'response', answers: [answer] })
  return Buffer.concat([toQuestion, message.subarray(headerSize + 1)])
}

function responseHead(query: Query, code: number, has: { answers?: number; truncated?: boolean }): Buffer {
  const head = Buffer.from(query.bytes.subarray(0, query.questionEnd))
  const asked = head.readUInt16BE(2) & flag.recursionDesired
  head.writeUInt16BE(flag.response | asked | flag.available | (has.truncated === true ? flag.truncated : 0) | code, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(has.answers ?? 0, 6)
  head.writeUInt16BE(0, 8)
  // A query with EDNS gets an OPT record back, except in a relayed answer that was cut.
  head.writeUInt16BE(query.hasEdns && !(has.truncated === true && has.answers === undefined) ? 1 : 0, 10)
  return head
}

/** An answer that is only a header, for messages without a readable question. */
function bareResponse(bytes: Buffer, code: number): Buffer {
  const head = Buffer.alloc(headerSize)
  bytes.copy(head, 0, 0, 2)
  const kept = bytes.readUInt16BE(2) & (flag.opcode | flag.recursionDesired)
  head.writeUInt16BE(flag.response | kept | code, 2)
  return head
}

function endOfQuestion(bytes: Buffer): number {
  for (let at = headerSize; at < bytes.length; ) {
    const length = bytes[at] ?? 0
    if (length === 0) return at + 5
    if (length > 63) break
    at += length + 1
  }
  throw internal('a question without an end')
}
