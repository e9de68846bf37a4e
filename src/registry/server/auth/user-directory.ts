/** The users of a registry, as authorizers and the token service see them. */
export interface UserDirectory {
  /** True if this is the user's password. For an unknown user it takes as long as for a wrong password. */
  verify(name: string, password: string): Promise<boolean>
  /** A text that changes with the user's password and does not reveal it; undefined if there is no such user. */
  fingerprint(name: string): Promise<string | undefined>
}

/** Name and password from `Authorization: Basic` (RFC 7617). The name is '' if an anonymous client sends the header
 *  anyway, as podman and skopeo do. */
export interface BasicCredentials {
  readonly name: string
  readonly password: string
}

/** Reads the credentials of an `Authorization` header; undefined if it has another form. */
export function parseBasic(header: string | undefined): BasicCredentials | undefined {
  const [, encoded] = /^basic +([a-z0-9+/=_-]+) *$/i.exec(header ?? '') ?? []
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}
