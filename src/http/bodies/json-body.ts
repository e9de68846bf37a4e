import type { Readable } from 'node:stream'
import { invalidArgument } from '../../base/index.ts'
import { jsonSyntaxMessage } from './json-syntax.ts'

const defaultLimitBytes = 4 * 1024 * 1024

/** How `readJson` reads a body. */
export interface JsonBodyOptions {
  /** A longer body is refused. Default: 4 MiB. */
  readonly limitBytes?: number | undefined
  /** Accepts every content type. */
  readonly anyType?: boolean
}

/** The headers that describe the body of a request. */
export interface BodyHeaders {
  readonly 'content-type'?: string | undefined
  readonly 'content-length'?: string | undefined
  readonly 'transfer-encoding'?: string | undefined
}

/** True when the request has a body of at least one byte or of unknown length. */
export function hasBody(headers: BodyHeaders): boolean {
  if (headers['transfer-encoding'] !== undefined) return true
  return (headers['content-length'] ?? '0') !== '0'
}

/** Reads a JSON body; undefined when there is none. Throws `invalidArgument`, with Docker's texts, for another content
 *  type, for a body that is too long and for one that is not JSON. */
export async function readJsonBody(
  body: Readable,
  headers: BodyHeaders,
  { limitBytes = defaultLimitBytes, anyType = false }: JsonBodyOptions = {},
): Promise<unknown> {
  if (!hasBody(headers)) {
    if (headers['content-type'] !== undefined && !anyType) checkJsonType(headers['content-type'])
    return undefined
  }
  if (!anyType) checkJsonType(headers['content-type'] ?? '')
  const text = (await readAll(body, limitBytes)).toString('utf8')
  if (text.trim() === '') throw invalidArgument('invalid JSON: got EOF while reading request body')
  try {
    return JSON.parse(text)
  } catch (error) {
    throw invalidArgument(syntaxText(text), { cause: error })
  }
}

function syntaxText(text: string): string {
  const message = jsonSyntaxMessage(text)
  return message.startsWith('unexpected content') ? message : `invalid JSON: ${message}`
}

/** Collects a whole body. Throws `invalidArgument` when it has more than `limitBytes`. */
async function readAll(body: Readable, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > limitBytes) throw invalidArgument(`request body too large: more than ${limitBytes} bytes`)
    chunks.push(chunk)
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
}

function checkJsonType(contentType: string): void {
  if (contentType === '') throw invalidArgument('malformed Content-Type header (): mime: no media type')
  const [type = ''] = contentType.split(';')
  if (type.trim().toLowerCase() !== 'application/json') {
    throw invalidArgument(`unsupported Content-Type header (${contentType}): must be 'application/json'`)
  }
}
