/** Which manifests a client can read, as its `Accept` headers say. */
import { bareMediaType } from '../model/manifest-document.ts'

/** True when `mediaType` is accepted. A client that says nothing takes everything, as HTTP has it. */
export function accepts(header: string | undefined, mediaType: string): boolean {
  if (header === undefined || header.trim() === '') return true
  return header.split(',').some((entry) => {
    const type = bareMediaType(entry)
    if (/;\s*q=0(?:\.0*)?\s*(?:;|$)/i.test(entry)) return false
    return type === mediaType || type === '*/*' || type === 'application/*'
  })
}
