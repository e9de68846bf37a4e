/** Requests of the Engine API over a unix socket, without a client library. */
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'

export interface ApiResponse<T> {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** The parsed body if it is JSON, otherwise its text. */
  readonly body: T
  readonly text: string
}

/** An object is sent as JSON. A text is sent unchanged with the type of JSON, bytes with that of a tar archive. */
export type RequestBody = Buffer | string | Readonly<Record<string, unknown>>

/** Sends one request and reads the whole response. */
export async function requestOverSocket<T>(
  socketPath: string,
  method: string,
  path: string,
  body?: RequestBody,
): Promise<ApiResponse<T>> {
  const response = await openRequest(socketPath, method, path, body)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString()
  const isJson = response.headers['content-type']?.startsWith('application/json') === true
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    body: (isJson ? parseOrText(text) : text) as T,
  }
}

/** Sends one request; resolves with the response once its headers have arrived. */
export function openRequest(
  socketPath: string,
  method: string,
  path: string,
  body?: RequestBody,
): Promise<IncomingMessage> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const bytes = body === undefined || Buffer.isBuffer(body) ? body : Buffer.from(text)
  const headers: Record<string, string | number> = bytes === undefined ? {} : { 'Content-Length': bytes.length }
  if (bytes !== undefined) headers['Content-Type'] = Buffer.isBuffer(body) ? 'application/x-tar' : 'application/json'
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { socketPath, method, path, headers: { Host: 'berth', ...headers }, agent: false },
      resolve,
    )
    outgoing.once('error', reject)
    outgoing.end(bytes)
  })
}

/** A stream of JSON lines has the content type of JSON but is not one JSON value. */
function parseOrText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
