import { compareApiVersions } from '../../api/index.ts'
import type { Exchange, PathParameters, Query } from '../../http/index.ts'

/** One request as a route sees it. */
export interface Call {
  readonly exchange: Exchange
  readonly parameters: PathParameters
  readonly query: Query
  /** The version that the request named, or the newest. */
  readonly apiVersion: string
}

/** One method and path of the API, without its version prefix. */
export interface Route {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE'
  /** A pattern of `Router`, like `/containers/{id}/json` or `/images/{name...}/json`. */
  readonly pattern: string
  /** Whether the connection may leave HTTP, as in attach and exec. */
  readonly takesConnection?: boolean
  readonly handle: (call: Call) => Promise<void>
}

/** A path parameter by its name in the route's pattern. */
export function pathParameter({ parameters }: Call, name: string): string {
  return parameters[name] ?? ''
}

/** Whether the request's API version is older than `version`. */
export function isBelow({ apiVersion }: Call, version: string): boolean {
  return compareApiVersions(apiVersion, version) < 0
}
