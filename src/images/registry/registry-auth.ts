import type { AuthConfig } from '../../api/index.ts'
import type { RegistryAuth } from '../../registry/client/index.ts'

/** Credentials for a registry, from the form in which the API's clients send them. They are used for one request and
 *  not kept. */
export function registryAuthOf(auth: AuthConfig | undefined): RegistryAuth {
  if (auth === undefined) return {}
  const [user = '', ...secret] = Buffer.from(auth.auth ?? '', 'base64')
    .toString('utf8')
    .split(':')
  const members = {
    username: auth.username || user,
    password: auth.password || secret.join(':'),
    identityToken: auth.identitytoken,
    registryToken: auth.registrytoken,
  }
  return Object.fromEntries(Object.entries(members).filter(([, text]) => text !== undefined && text !== ''))
}
