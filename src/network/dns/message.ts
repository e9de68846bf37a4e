/** DNS messages as the embedded server needs them: what a query asks, and answers to it. Answers repeat the bytes of
 *  the question, so that clients which play with its case (draft-vixie-dnsext-dns0x20) recognise it. Pure.
 *  RFC 1035 (messages), RFC 6891 (EDNS0). */
import { type Answer, decode, encode } from 'dns-packet'
import { internal } from '../../base/index.ts'

export type Transport = 'udp' | 'tcp'

/** A query with exactly one question. */
export interface Query {
  readonly bytes: Buffer
  readonly id: number
  /** In lower case, without a dot at the end; '' for the root. */
  readonly name: string
  /** `A`, `AAAA`, `PTR`, …; `UNKNOWN_65` where the codec has no name for it. */
  readonly type: string
  readonly isInternet: boolean
  /** Where the question ends in `bytes`. */
  readonly questionEnd: number
  /** The largest answer that fits by UDP. */
  readonly udpLimit: number
  readonly hasEdns: boolean
}

export const responseCode = { ok: 0, malformed: 1, serverFailure: 2, notImplemented: 4, refused: 5 } as const

const headerSize = 12
const flag = { response: 0x8000, opcode: 0x7800, truncated: 0x0200, recursionDesired: 0x0100, available: 0x0080 }
const plainUdpLimit = 512
/** What this server takes by UDP itself, and the most it sends (https://www.dnsflagday.net/2020/). */
const ownUdpLimit = 1232
const largestUdpAnswer = 4096

/** Reads a query. A `Buffer` instead is the answer to what can't be read; undefined: nothing to answer. */
export function parseQuery(bytes: Buffer): Query | Buffer | undefined {
  if (bytes.length < headerSize) return undefined
  const flags = bytes.readUInt16BE(2)
  // An answer to an answer would go on for ever.
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
    // The codec throws plain errors for whatever is malformed.
    return bareResponse(bytes, responseCode.malformed)
  }
}

/** A name in lower case and without its last dot, as names are compared (RFC 4343). */
export function normalName(name: string): string {
  const bare = name.endsWith('.') ? name.slice(0, -1) : name
  return bare.toLowerCase()
}

/** What the server knows itself: records for the question's own name. */
export type LocalRecord =
  | { readonly type: 'A' | 'AAAA'; readonly data: string }
  | { readonly type: 'PTR'; readonly data: string }

/** Answers with records (none: the name exists, but nothing of that type). By UDP as many as fit; the flag then tells
 *  the client to ask by TCP. */
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

/** Answers with a response code and nothing else. */
export function errorResponse(query: Query, code: number): Buffer {
  return Buffer.concat([responseHead(query, code, {}), query.hasEdns ? ednsRecord : Buffer.alloc(0)])
}

/** A forwarded answer as it goes to the client: its own id, and cut when it would not fit. */
export function relayedResponse(query: Query, transport: Transport, response: Buffer): Buffer {
  if (transport === 'udp' && response.length > query.udpLimit) {
    return responseHead(query, responseCodeOf(response), { truncated: true })
  }
  const bytes = Buffer.from(response)
  bytes.writeUInt16BE(query.id, 0)
  return bytes
}

/** Whether a message is the answer to `query` sent under `id`: the same question, byte by byte. A server that could
 *  not read the question may leave it out. */
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

/** The name under which an address is looked up backwards (RFC 1035, 3.5; RFC 3596, 2.5). */
export function reverseName(address: string): string {
  const type = address.includes(':') ? 'AAAA' : 'A'
  const bytes = [...recordBytes({ type, data: address }, 0).subarray(recordHeaderSize)]
  if (type === 'A') return `${bytes.reverse().join('.')}.in-addr.arpa`
  const digits = bytes.map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${[...digits].reverse().join('.')}.ip6.arpa`
}

/** A root name, type OPT, the size that is taken by UDP, no flags, no options. */
const ednsRecord = Buffer.from([0, 0, 41, ownUdpLimit >> 8, ownUdpLimit & 255, 0, 0, 0, 0, 0, 0])
/** The question's name once more, by pointer. */
const toQuestion = Buffer.from([0xc0, headerSize])
/** Pointer, type, class, time to live, length. */
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
  // The OPT record that a query with EDNS gets back, but not with an answer that is cut.
  head.writeUInt16BE(query.hasEdns && !(has.truncated === true && has.answers === undefined) ? 1 : 0, 10)
  return head
}

/** A header alone, for what has no question that could be repeated. */
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
