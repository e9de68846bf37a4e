import type { AuthConfig } from '../../api/index.ts'

/** Decodes the header `X-Registry-Auth`. A header that can't be decoded counts as absent, because the request may
 *  succeed without credentials. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): AuthConfig | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length > 0 ? parsed : undefined
  } catch {
    return undefined
  }
}

/** Decodes the header `X-Registry-Config` of builds: credentials by registry. A header that can't be decoded counts as
 *  absent. */
export function decodeRegistryConfig(
  header: string | readonly string[] | undefined,
): Readonly<Record<string, AuthConfig>> {
  const parsed: Readonly<Record<string, unknown>> = { ...decodeRegistryAuth(header) }
  const entries = Object.entries(parsed).filter((entry): entry is [string, AuthConfig] => {
    return typeof entry[1] === 'object' && entry[1] !== null && !Array.isArray(entry[1])
  })
  return Object.fromEntries(entries)
}
