/** The trailers that end a call. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2'
import { create, toBinary } from '@bufbuild/protobuf'
import { StatusSchema } from './gen/status_pb.ts'
import { GrpcError, grpcCode } from './grpc-error.ts'

/** Peers refuse headers that are much longer. */
const maxMessageLength = 4096

/** The trailers of a call that succeeded, or failed with `error`. */
export function statusTrailers(error?: GrpcError): OutgoingHttpHeaders {
  if (error === undefined) return { 'grpc-status': String(grpcCode.ok) }
  const { code, details } = error
  const message =
    error.message.length > maxMessageLength ? `${error.message.slice(0, maxMessageLength)}…` : error.message
  const trailers: OutgoingHttpHeaders = { 'grpc-status': String(code), 'grpc-message': encodeText(message) }
  if (details.length > 0) {
    const status = create(StatusSchema, { code, message, details: details.map((one) => ({ ...one })) })
    trailers['grpc-status-details-bin'] = Buffer.from(toBinary(StatusSchema, status)).toString('base64')
  }
  return trailers
}

/** The error in trailers, or in the headers of an answer that has no trailers. Undefined when the call succeeded. */
export function errorOfTrailers(headers: IncomingHttpHeaders): GrpcError | undefined {
  const status = headers['grpc-status']
  if (status === undefined) return new GrpcError(grpcCode.unavailable, 'the call ended without a status')
  const code = Number(status)
  if (code === grpcCode.ok) return undefined
  return new GrpcError(code, decodeText(String(headers['grpc-message'] ?? '')))
}

function encodeText(text: string): string {
  return [...Buffer.from(text)]
    .map((byte) => {
      const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      return isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
}

function decodeText(text: string): string {
  const bytes = Buffer.from(text, 'latin1').toString('latin1')
  return Buffer.from(
    bytes.replace(/%([0-9a-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  ).toString('utf8')
}
