/** Reads `Accept` headers: the manifest types that a client supports (RFC 9110, 12.5.1). */
import { bareMediaType } from '../model/manifest-document.ts'

/** True if the client accepts `mediaType`. Without a header it accepts every type. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === '') return true
  return header.split(',').some((entry) => {
    const type = bareMediaType(entry)
    if (/;\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(entry)) return false
    return type === mediaType || type === '*/*' || type === 'application/*'
  })
}
