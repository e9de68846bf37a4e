import { posix } from 'node:path'
import { compareApiVersions, maxApiVersion } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'

export interface VersionedPath {
  /** Of the `/vX.YY` prefix; undefined without one. */
  readonly version: string | undefined
  readonly path: string
  readonly query: string
}

/** Takes a request's target apart: a path, or a whole URL as proxies are sent. Docker redirects a path with empty or
 *  dotted parts to the one that is meant, which is served here at once, as not every method survives a redirect. */
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

/** The version to answer in: the newest for clients that name none. Refuses what is out of range. */
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
