import type { AuthConfig } from '../api/index.ts'

/** `X-Registry-Auth`. One that can't be read counts as none, for what is asked may be had without. */
export function decodeRegistryAuth(header: string | readonly string[] | undefined): AuthConfig | undefined {
  if (typeof header !== 'string' || header === '') return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(header, 'base64url').toString('utf8'))
    return typeof parsed === 'object' && parsed !== null && Object.keys(parsed).length > 0 ? parsed : undefined
  } catch {
    return undefined
  }
}
