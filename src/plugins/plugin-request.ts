/** One call to a plugin: a POST of JSON over its socket. */
import { readFileSync } from 'node:fs'
import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { BerthError, errnoOf, messageOf } from '../base/index.ts'
import type { PluginAddress, PluginTls } from './plugin-address.ts'

const mediaType = 'application/vnd.docker.plugins.v1.2+json'
const maxAnswerBytes = 16 * 1024 * 1024

/** Calls `method` of a plugin and returns its answer. Throws `unavailable` when the plugin can't be reached
 *  (`details.unreachable`) or does not answer within `timeoutMs`, and `internal` when it answers with an error status
 *  or with something other than JSON. */
export async function askPlugin(
  address: PluginAddress,
  method: string,
  body: object,
  { timeoutMs }: { readonly timeoutMs: number },
): Promise<Readonly<Record<string, unknown>>> {
  const { status, text } = await post(address, method, JSON.stringify(body), timeoutMs)
  if (status !== 200) throw new BerthError('internal', `${method}: ${errorText(text) || `status ${status}`}`)
  try {
    return text.trim() === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  } catch (cause) {
    throw new BerthError('internal', `${method}: the plugin's answer is not JSON: ${text.slice(0, 200)}`, { cause })
  }
}

interface Answer {
  readonly status: number
  readonly text: string
}

function post(address: PluginAddress, method: string, body: string, timeoutMs: number): Promise<Answer> {
  const options: RequestOptions = {
    method: 'POST',
    path: `/${method}`,
    // A restarted plugin no longer knows old connections.
    agent: false,
    headers: { Accept: mediaType, 'Content-Type': mediaType, 'Content-Length': Buffer.byteLength(body) },
    signal: AbortSignal.timeout(timeoutMs),
    ...(address.kind === 'unix' ? { socketPath: address.path } : { host: address.host, port: address.port }),
  }
  const tls = address.kind === 'tcp' ? address.tls : undefined
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => reject(failure(method, cause, timeoutMs))
    const request = tls === undefined ? httpRequest(options) : httpsRequest({ ...options, ...material(tls) })
    request.on('error', fail)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      let length = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        length += chunk.length
        if (length > maxAnswerBytes) request.destroy(new Error('the answer is too long'))
      })
      response.on('error', fail)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
    })
    request.end(body)
  })
}

function material({ caFile, certFile, keyFile, insecureSkipVerify }: PluginTls): object {
  return {
    ...(caFile === '' ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === '' ? {} : { cert: readFileSync(certFile) }),
    ...(keyFile === '' ? {} : { key: readFileSync(keyFile) }),
    rejectUnauthorized: !insecureSkipVerify,
  }
}

const notThere: ReadonlySet<string> = new Set(['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', 'ENOTFOUND'])

function failure(method: string, cause: unknown, timeoutMs: number): BerthError {
  if (cause instanceof Error && cause.name === 'AbortError') {
    return new BerthError('unavailable', `${method}: no answer from the plugin within ${timeoutMs / 1000} s`, { cause })
  }
  const unreachable = notThere.has(errnoOf(cause) ?? '')
  return new BerthError('unavailable', `${method}: ${messageOf(cause)}`, { cause, details: { unreachable } })
}

/** Most plugins answer errors as `{"Err": "…"}`, some as plain text. */
function errorText(text: string): string {
  try {
    const { Err: error } = JSON.parse(text) as { Err?: unknown }
    return typeof error === 'string' ? error : text.trim()
  } catch {
    return text.trim()
  }
}
