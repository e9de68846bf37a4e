/** The credentials that clients of the Engine API send in `X-Registry-Auth`. */
import { invalidArgument } from '../../../base/index.ts'
import { isObject } from '../../../oci/index.ts'

/** Credentials for one registry. Without any member: anonymous. */
export interface RegistryAuth {
  readonly username?: string
  readonly password?: string
  /** A refresh token from an earlier OAuth login. */
  readonly identityToken?: string
  /** A bearer token that is sent unchanged. */
  readonly registryToken?: string
}

/** Decodes the header, a JSON object in base64url or base64. An empty or absent header means anonymous. Throws
 *  `invalidArgument` for anything else. */
export function parseRegistryAuth(header: string | undefined): RegistryAuth {
  if (header === undefined || header === '') return {}
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
  } catch (cause) {
    throw invalidArgument('invalid X-Registry-Auth header: must be a valid base64url-encoded JSON object', { cause })
  }
  if (!isObject(value)) throw invalidArgument('invalid X-Registry-Auth header: invalid JSON')
  const basic = typeof value.auth === 'string' ? Buffer.from(value.auth, 'base64').toString('utf8') : ''
  const colon = basic.indexOf(':')
  const member = (key: string, fallback = '') => {
    const text = value[key]
    return typeof text === 'string' && text !== '' ? text : fallback
  }
  const members = {
    username: member('username', colon === -1 ? '' : basic.slice(0, colon)),
    password: member('password', colon === -1 ? '' : basic.slice(colon + 1)),
    identityToken: member('identitytoken'),
    registryToken: member('registrytoken'),
  }
  return Object.fromEntries(Object.entries(members).filter(([, text]) => text !== ''))
}

/** The value of a Basic `Authorization` header; undefined without a user name. */
export function basicHeader({ username, password = '' }: RegistryAuth): string | undefined {
  if (username === undefined) return undefined
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
