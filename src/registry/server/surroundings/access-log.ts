/** The access log: one line for each request. It contains neither the query nor any header but the user agent. */
import type { RegistryObserver, RequestRecord } from '../model/registry-observer.ts'

/** `text`: the combined log format of web servers, followed by the duration in seconds. `json`: an object. */
export type AccessLogFormat = 'json' | 'text'

/** Writes the access log. */
export class AccessLog implements RegistryObserver {
  readonly #format: AccessLogFormat
  readonly #write: (line: string) => void

  /** `write` is called with each line, which ends with a line feed. */
  constructor(format: AccessLogFormat, write: (line: string) => void) {
    this.#format = format
    this.#write = write
  }

  requestFinished(record: RequestRecord): void {
    this.#write(this.#format === 'json' ? formatJson(record) : formatCombined(record))
  }
}

function formatJson({ startedAt, durationMs, ...record }: RequestRecord): string {
  const rounded = Math.round(durationMs * 1000) / 1000
  return `${JSON.stringify({ time: startedAt.toISOString(), level: 'info', message: 'request', ...record, durationMs: rounded })}\n`
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

function formatCombined(record: RequestRecord): string {
  const { remoteAddress, user, method, path, httpVersion, status, sentBytes, userAgent, durationMs } = record
  const [date = '', time = ''] = record.startedAt.toISOString().split(/[T.]/)
  const [year, month, day] = date.split('-')
  const when = `${day}/${months[Number(month) - 1]}/${year}:${time} +0000`
  const who = user === undefined || user === '' ? '-' : escaped(user).replaceAll(' ', '\\x20')
  const request = `${escaped(method)} ${escaped(path)} HTTP/${httpVersion}`
  const agent = userAgent === '' ? '-' : escaped(userAgent)
  return `${remoteAddress} - ${who} [${when}] "${request}" ${status} ${sentBytes} "-" "${agent}" ${(durationMs / 1000).toFixed(3)}\n`
}

/** Escapes text as Apache does, so that clients can't end a field or a line or control a terminal. */
function escaped(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/gu, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    return [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
}
