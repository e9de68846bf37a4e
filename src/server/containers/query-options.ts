/** Query parameters of the container routes, with Docker's rules and texts. */
import type { Filters, WaitCondition } from '../../api/index.ts'
import { invalidArgument, messageOf, type TerminalSize } from '../../base/index.ts'
import { type AttachOptions, decodeFilters, type LogsOptions, type StopOptions } from '../../contract/index.ts'
import { parseInteger, type Query } from '../../http/index.ts'
import { parseTimestamp } from '../requests/timestamp.ts'

const listFilters: ReadonlySet<string> = new Set([
  'ancestor',
  'before',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'name',
  'network',
  'publish',
  'since',
  'status',
  'volume',
])

const pruneFilters: ReadonlySet<string> = new Set(['label', 'label!', 'until'])

/** The values that a filter may have. Filters that are not here take any text. */
const filterValues: Readonly<Record<string, ReadonlySet<string>>> = {
  status: new Set(['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead']),
  health: new Set(['none', 'starting', 'healthy', 'unhealthy']),
}

/** `filters` of a list of containers. */
export function readListFilters(query: Query): Filters {
  const filters = decodeFilters(query.text('filters'), listFilters)
  for (const [key, values] of Object.entries(filters)) {
    if (key === 'is-task' && !(values.length === 1 && /^(true|false|1|0)$/.test(values[0] ?? ''))) {
      throw invalidArgument(`invalid filter 'is-task=[${values.join(' ')}]'`)
    }
    const allowed = filterValues[key]
    for (const value of values) {
      if (allowed !== undefined && !allowed.has(value)) throw invalidArgument(wrongValue(key, value))
      if (key === 'exited') checkNumber(`invalid filter 'exited=${value}'`, value)
    }
  }
  return filters
}

function wrongValue(key: string, value: string): string {
  return key === 'health' ? `unrecognized filter value for health: ${value}` : `invalid filter '${key}=${value}'`
}

function checkNumber(what: string, text: string): void {
  try {
    parseInteger(text)
  } catch (cause) {
    throw invalidArgument(`${what}: ${messageOf(cause)}`, { cause })
  }
}

/** `filters` of a prune of containers. */
export function readPruneFilters(query: Query): Filters {
  return decodeFilters(query.text('filters'), pruneFilters)
}

/** `signal` and `t` of stop and restart. */
export function readStopOptions(query: Query): StopOptions {
  return { signal: query.optional('signal'), timeoutSeconds: query.integer('t') }
}

/** `condition` of wait. */
export function readWaitCondition(query: Query): WaitCondition {
  const text = query.text('condition')
  if (text === '' || text === 'not-running') return 'not-running'
  if (text === 'next-exit' || text === 'removed') return text
  throw invalidArgument(`invalid condition: ${JSON.stringify(text)}`)
}

/** The parameters of logs. */
export function readLogsOptions(query: Query): LogsOptions {
  const stdout = query.flag('stdout')
  const stderr = query.flag('stderr')
  if (!stdout && !stderr) throw invalidArgument('Bad parameters: you must choose at least one stream')
  return {
    stdout,
    stderr,
    follow: query.flag('follow'),
    timestamps: query.flag('timestamps'),
    details: query.flag('details'),
    // Any text that is not a number means all lines.
    tail: /^\d+$/.test(query.text('tail')) ? Number(query.text('tail')) : 'all',
    sinceNs: parseTimestamp('since', query.text('since')),
    untilNs: parseTimestamp('until', query.text('until')),
  }
}

/** The parameters of attach. */
export function readAttachOptions(query: Query): AttachOptions {
  return {
    stdin: query.flag('stdin'),
    stdout: query.flag('stdout'),
    stderr: query.flag('stderr'),
    stream: query.flag('stream'),
    logs: query.flag('logs'),
    detachKeys: query.optional('detachKeys'),
  }
}

/** `h` and `w` of resize. */
export function readTerminalSize(query: Query): TerminalSize {
  return { height: dimension(query, 'h', 'height'), width: dimension(query, 'w', 'width') }
}

/** Checks a container's name; undefined if the engine is to make a name up. Drops the leading slash of old clients. */
export function readContainerName(text: string): string | undefined {
  if (text === '') return undefined
  const name = text.replace(/^\//, '')
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name)) return name
  throw invalidArgument(`Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
}

function dimension(query: Query, name: string, what: string): number {
  const text = query.text(name)
  const value = Number(text)
  const reason = !/^\d+$/.test(text) ? 'invalid syntax' : value > 0xffffffff ? 'value out of range' : undefined
  if (reason !== undefined) throw invalidArgument(`invalid resize ${what} ${JSON.stringify(text)}: ${reason}`)
  return value
}
