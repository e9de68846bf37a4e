import type { AuthConfig } from '../../api/index.ts'
import { argument, line, readMembers, type StructMembers } from './shape.ts'

/** The members of AuthConfig. A password may be a token of any length that a header can have. */
export const authMembers: StructMembers = {
  username: line,
  password: argument,
  auth: argument,
  serveraddress: line,
  identitytoken: argument,
  registrytoken: argument,
}

/** Decodes the header `X-Registry-Auth`. A header that can't be decoded counts as absent, because the request may
 *  succeed without credentials. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): AuthConfig | undefined {
  const members = decodeHeader(header)
  return members === undefined ? undefined : readAuth(members)
}

/** Decodes the header `X-Registry-Config` of builds: credentials by registry. A header that can't be decoded counts as
 *  absent. */
export function decodeRegistryConfig(
  header: string | readonly string[] | undefined,
): Readonly<Record<string, AuthConfig>> {
  const entries = Object.entries(decodeHeader(header) ?? {}).flatMap(([registry, value]: [string, unknown]) => {
    const auth = typeof value === 'object' && value !== null ? readAuth(value) : undefined
    return auth === undefined ? [] : [[registry, auth] as const]
  })
  return Object.fromEntries(entries)
}

function decodeHeader(header: string | readonly string[] | undefined): object | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined
  } catch {
    return undefined
  }
}

/** The credentials; undefined if there are none, or a member has a wrong type. */
function readAuth(value: object): AuthConfig | undefined {
  try {
    const auth = readMembers('AuthConfig', value, authMembers)
    return Object.keys(auth).length === 0 ? undefined : auth
  } catch {
    return undefined
  }
}
