/** `docker import URL`: the engine fetches the archive itself. */
import type { Readable } from 'node:stream'
import { type AbortOptions, BerthError, invalidArgument, messageOf } from '../../base/index.ts'
import { HttpTransport, type HttpTransportOptions } from '../../registry/client/index.ts'

export interface FetchedArchive extends Disposable {
  readonly body: Readable
  /** Undefined when the server does not say. */
  readonly sizeBytes: number | undefined
}

/** Of a page that says why there is no archive. */
const maxReasonBytes = 1024

/** The URL that a client's text means: without a scheme, `http`. Throws `invalidArgument` for schemes that are not HTTP. */
export function parseArchiveUrl(text: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  let url: URL
  try {
    url = new URL(full)
  } catch (cause) {
    throw invalidArgument(`parse ${JSON.stringify(text)}: ${messageOf(cause)}`, { cause })
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') return full
  throw invalidArgument(`Get "${full}": unsupported protocol scheme "${url.protocol.slice(0, -1)}"`)
}

/** Begins to fetch. Throws for a server that can't be reached, and for statuses from 400 on with Docker's text. */
export async function fetchArchive(
  url: string,
  options: HttpTransportOptions,
  { signal }: AbortOptions = {},
): Promise<FetchedArchive> {
  const transport = new HttpTransport(options)
  const close = () => transport.close()
  try {
    const { status, headers, body } = await transport.send({ url, ...(signal === undefined ? {} : { signal }) })
    if (status >= 400) {
      const kind = status < 500 ? 'invalidArgument' : 'unavailable'
      const reason = await readReason(body)
      throw new BerthError(kind, `failed to GET ${url} with status ${status} ${body.statusMessage ?? ''}: ${reason}`)
    }
    const length = Number(headers['content-length'] ?? '')
    return {
      body,
      sizeBytes: length > 0 ? length : undefined,
      [Symbol.dispose]() {
        body.destroy()
        close()
      },
    }
  } catch (error) {
    close()
    throw error
  }
}

async function readReason(body: Readable): Promise<string> {
  let text = ''
  for await (const chunk of body as AsyncIterable<Buffer>) {
    text += chunk.toString('utf8')
    if (text.length > maxReasonBytes) break
  }
  return text.slice(0, maxReasonBytes).trim()
}
