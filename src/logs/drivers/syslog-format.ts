/** Formats syslog messages: RFC 3164 section 4.1, RFC 5424 section 6, and `local` for local daemons, without a host. */
import type { OutputStream } from '../../base/index.ts'

/** The formats of messages. */
export type SyslogFormat = 'local' | 'rfc3164' | 'rfc5424' | 'rfc5424micro'

/** The sender of messages. */
export interface SyslogSource {
  readonly format: SyslogFormat
  readonly facility: number
  readonly hostname: string
  readonly tag: string
  readonly pid: number
}

const informational = 6
const errorSeverity = 3
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** A message with a line feed at its end. */
export function formatSyslog(
  { format, facility, hostname, tag, pid }: SyslogSource,
  { stream, timeNs, text }: { readonly stream: OutputStream; readonly timeNs: bigint; readonly text: Buffer },
): Buffer {
  const priority = facility * 8 + (stream === 'stderr' ? errorSeverity : informational)
  const time = new Date(Number(timeNs / 1_000_000n))
  const header = {
    local: () => `<${priority}>${stamp(time)} ${tag}[${pid}]: `,
    rfc3164: () => `<${priority}>${stamp(time)} ${hostname} ${tag}[${pid}]: `,
    rfc5424: () => `<${priority}>1 ${isoTime(time, '')} ${hostname} ${tag} ${pid} ${tag} - `,
    rfc5424micro: () => `<${priority}>1 ${isoTime(time, microseconds(timeNs))} ${hostname} ${tag} ${pid} ${tag} - `,
  }[format]()
  return Buffer.concat([Buffer.from(header), text, Buffer.from('\n')])
}

/** A time as `Jan  2 15:04:05`, in local time. */
function stamp(time: Date): string {
  const day = String(time.getDate()).padStart(2)
  return `${months[time.getMonth()]} ${day} ${clock(time)}`
}

function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':')
}

/** A time as RFC 3339, in local time. */
function isoTime(time: Date, fraction: string): string {
  const date = [time.getFullYear(), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())].join('-')
  return `${date}T${clock(time)}${fraction}${zone(-time.getTimezoneOffset())}`
}

function microseconds(timeNs: bigint): string {
  return `.${String((timeNs / 1000n) % 1_000_000n).padStart(6, '0')}`
}

function zone(minutes: number): string {
  if (minutes === 0) return 'Z'
  const absolute = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${twoDigits(Math.floor(absolute / 60))}:${twoDigits(absolute % 60)}`
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
