import { posix } from 'node:path'
import { compareApiVersions, maxApiVersion } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

export interface VersionedPath {
  /** The version of the `/vX.YY` prefix; undefined without a prefix. */
  readonly version: string | undefined
  readonly path: string
  readonly query: string
}

/** Splits a request's target, which is a path or, as sent to proxies, a whole URL. A path with empty or dotted segments
 *  is normalized and served at once. Docker redirects the client instead, but not every method survives a redirect. */
export function splitVersionedPath(url: string): VersionedPath {
  const mark = url.indexOf('?')
  const whole = mark === -1 ? url : url.slice(0, mark)
  const query = mark === -1 ? '' : url.slice(mark + 1)
  const target = cleanPath(whole.replace(/^https?:\/\/[^/]*(?=\/|$)/, ''))
  const match = /^\/v([0-9.]+)(\/.*)$/.exec(target)
  return { version: match?.[1], path: match?.[2] ?? target, query }
}

function cleanPath(path: string): string {
  if (!/\/(\.{0,2})(\/|$)/.test(path)) return path
  return posix.normalize(posix.join('/', path))
}

/** The version to answer in: the newest if the request names none. Throws `invalidArgument` for a version out of range. */
export function checkApiVersion(version: string | undefined, minApiVersion: string): string {
  if (version === undefined) return maxApiVersion
  if (compareApiVersions(version, minApiVersion) < 0) {
    throw invalidArgument(
      `client version ${version} is too old. Minimum supported API version is ${minApiVersion}, please upgrade your client to a newer version`,
    )
  }
  if (compareApiVersions(version, maxApiVersion) > 0) {
    throw invalidArgument(`client version ${version} is too new. Maximum supported API version is ${maxApiVersion}`)
  }
  return version
}
