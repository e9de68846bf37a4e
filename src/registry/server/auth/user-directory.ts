/** Who the registry's users are, as authorizers and the token service ask for it. */
export interface UserDirectory {
  /** Whether this is the user's password; false for unknown users, after as much work. */
  verify(name: string, password: string): Promise<boolean>
  /** A text that changes with the user's password and tells nothing about it; undefined when there is no such user. */
  fingerprint(name: string): Promise<string | undefined>
}

/** A name with its password, as `Authorization: Basic` carries them. The name is '' from clients that have none and
 *  send the header all the same (podman, skopeo). */
export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

/** The credentials of an `Authorization` header; undefined when it has another form. */
export function parseBasic(header: string | undefined): BasicCredentials | undefined {
  const [, encoded] = /^basic +([a-z0-9+/=_-]+) *$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}
