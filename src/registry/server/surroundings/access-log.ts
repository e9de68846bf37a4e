/** One line for each request. `text` is the combined log format of web servers with the seconds behind it, `json` an
 *  object. Neither has the query, nor anything of the headers but the program's name. */
import type { RegistryObserver, RequestRecord } from '../model/registry-observer.ts'

export type AccessLogFormat = 'json' | 'text'

export class AccessLog implements RegistryObserver {
  readonly #format: AccessLogFormat
  readonly #write: (line: string) => void

  /** `write` gets lines with their line feed. */
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

/** As Apache does it: what clients send can't end a field, a line, or reach a terminal. */
function escaped(text: string): string {
  return text.replace(/["\\]|[^\x20-\x7e]/gu, (char) => {
    if (char === '"' || char === '\\') return `\\${char}`
    return [...Buffer.from(char)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')
  })
}
