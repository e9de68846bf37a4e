/** Times as Go prints them, in the terminal's zone. */

interface ZonedParts {
  readonly weekday: string
  readonly month: string
  readonly day: string
  readonly date: string
  readonly time: string
  readonly year: string
  readonly offset: string
  readonly zone: string
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function zoned(time: Date, utc: boolean): ZonedParts {
  const minutes = utc ? 0 : -time.getTimezoneOffset()
  const local = new Date(time.getTime() + minutes * 60_000)
  const sign = minutes < 0 ? '-' : '+'
  const offset = `${sign}${two(Math.trunc(Math.abs(minutes) / 60))}${two(Math.abs(minutes) % 60)}`
  const [date = '', rest = ''] = local.toISOString().split('T')
  return {
    weekday: weekdays[local.getUTCDay()] ?? '',
    month: months[local.getUTCMonth()] ?? '',
    day: String(local.getUTCDate()),
    date,
    time: rest.slice(0, 8),
    year: String(local.getUTCFullYear()),
    offset,
    zone: utc ? 'UTC' : zoneName(time, offset),
  }
}

function zoneName(time: Date, offset: string): string {
  if (offset === '+0000' && /UTC|GMT\+0000 \(Coordinated/.test(String(time))) return 'UTC'
  const name = /GMT|UTC|[A-Z]{3,5}/.exec(
    time.toLocaleTimeString('en-US', { timeZoneName: 'short' }).replace(/^.*[AP]M /, ''),
  )
  const short = time.toLocaleTimeString('en-US', { timeZoneName: 'short' }).split(' ').at(-1) ?? ''
  return /^[A-Z]{3,5}$/.test(short) ? short : (name?.[0] !== 'GMT' && name?.[0]) || offset
}

/** `2026-01-02 03:04:05 +0000 UTC`. `fraction` (with its dot) follows the seconds. */
export function goTimeString(time: Date, { utc = false, fraction = '' } = {}): string {
  const parts = zoned(time, utc)
  return `${parts.date} ${parts.time}${fraction} ${parts.offset} ${parts.zone}`
}

/** `Fri Jan  2 03:04:05 2026`, in UTC. */
export function ansiTime(time: Date): string {
  const { weekday, month, day, time: clock, year } = zoned(time, true)
  return `${weekday} ${month} ${day.padStart(2)} ${clock} ${year}`
}

/** RFC 3339 to the second: `2026-01-02T03:04:05Z`, or with the zone's offset. */
export function rfc3339(time: Date): string {
  const { date, time: clock, offset } = zoned(time, false)
  return `${date}T${clock}${offset === '+0000' ? 'Z' : `${offset.slice(0, 3)}:${offset.slice(3)}`}`
}
