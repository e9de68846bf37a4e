/** What the configuration says about the confinement of all containers. */
import { readFileSync } from 'node:fs'
import { invalidArgument, messageOf } from '../base/index.ts'

/** `builtin`, `unconfined` or the text of the profile that the file holds.
 *  Throws `invalidArgument` for a file that can't be read or is no JSON. */
export function seccompProfile(value: string | undefined): string {
  if (value === undefined || value === '' || value === 'builtin') return 'builtin'
  if (value === 'unconfined') return value
  try {
    const text = readFileSync(value, 'utf8')
    JSON.parse(text)
    return text
  } catch (cause) {
    throw invalidArgument(`opening seccomp profile (${value}) failed: ${messageOf(cause)}`, { cause })
  }
}
