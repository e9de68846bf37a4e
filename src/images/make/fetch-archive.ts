/** `docker import URL`: the engine downloads the archive itself. */
import type { Readable } from 'node:stream'
import { type AbortOptions, BerthError, invalidArgument, messageOf } from '../../base/index.ts'
import { HttpTransport, type HttpTransportOptions } from '../../registry/client/index.ts'

/** A download in progress; disposing of it ends it. */
export interface FetchedArchive extends Disposable {
  readonly body: Readable
  /** Undefined when the server does not send it. */
  readonly sizeBytes: number | undefined
}

/** At most this much of an error page is used as the reason. */
const maxReasonBytes = 1024

/** The URL in a client's text, with `http` as the default scheme. Throws `invalidArgument` for schemes other than HTTP
 *  and HTTPS. */
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

/** Starts the download. Throws when the server can't be reached, and, with Docker's text, for a status of 400 or
 *  more. */
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
