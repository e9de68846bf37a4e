import { compareApiVersions } from '../api/index.ts'
import type { Exchange, PathParameters, Query } from '../http/index.ts'

/** One request as a route sees it. */
export interface Call {
  readonly exchange: Exchange
  readonly parameters: PathParameters
  readonly query: Query
  /** What client and server agreed on. */
  readonly apiVersion: string
}

/** One method and path of the API, without its version prefix. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** See `Router`: `/containers/{id}/json`, `/images/{name...}/json`. */
  readonly pattern: string
  /** The connection may leave HTTP: attach and exec. */
  readonly takesConnection?: boolean
  readonly handle: (call: Call) => Promise<void>
}

/** A path parameter; the route's pattern has it. */
export function pathParameter({ parameters }: Call, name: string): string {
  return parameters[name] ?? ''
}

/** True for clients that speak an older version than this one. */
export function isBelow({ apiVersion }: Call, version: string): boolean {
  return compareApiVersions(apiVersion, version) < 0
}
