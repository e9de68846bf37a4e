/** Converts the builder's events into BuildKit's SolveStatus. */
import { createHash } from 'node:crypto'
import type { BuildEvent, BuildWarningEvent } from '../../../api/index.ts'
import type { BuildStatus, BuildWarning } from './solve-status.ts'

/** The update for displays. Undefined for events without one. `now` is the time of events that have none. */
export function toBuildStatus(event: BuildEvent, now: Date): BuildStatus | undefined {
  const timestamp = now.toISOString()
  switch (event.type) {
    case 'vertex': {
      const { id, name, inputs, started, completed, cached, error } = event
      const vertex = {
        digest: vertexDigest(id),
        ...(inputs === undefined ? {} : { inputs: inputs.map(vertexDigest) }),
        name,
        ...(started === undefined ? {} : { started }),
        ...(completed === undefined ? {} : { completed }),
        ...(cached === true ? { cached } : {}),
        ...(error === undefined ? {} : { error }),
      }
      return { vertexes: [vertex] }
    }
    case 'status': {
      const { type: _type, vertex, current = 0, ...rest } = event
      return { statuses: [{ ...rest, vertex: vertexDigest(vertex), current, timestamp }] }
    }
    case 'log': {
      const data = Buffer.from(event.text).toString('base64')
      return { logs: [{ vertex: vertexDigest(event.vertex), stream: event.stream, data, timestamp }] }
    }
    case 'warning':
      return { warnings: [toWarning(event)] }
    default:
      return undefined
  }
}

function vertexDigest(id: string): string {
  return `sha256:${createHash('sha256').update(id).digest('hex')}`
}

function toWarning({ rule, message, description, url, file, line, level = 1 }: BuildWarningEvent): BuildWarning {
  const where = line === undefined ? '' : ` (line ${line})`
  const short = rule === undefined ? message : `${rule}: ${message}${where}`
  return {
    vertex: vertexDigest(''),
    level,
    short: toBase64(short),
    ...(description === undefined ? {} : { detail: [toBase64(description)] }),
    ...(url === undefined ? {} : { url }),
    ...(file === undefined ? {} : { sourceInfo: { filename: file, data: '' } }),
    ...(line === undefined ? {} : { range: [{ start: { line }, end: { line } }] }),
  }
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64')
}
