/** `--platform` of commands that send it to the daemon. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { parsePlatform } from '../../oci/index.ts'

/** Turns a platform into the JSON object that the API takes. Throws `invalidArgument`; `prefix` precedes its
 *  message. */
export function platformQuery(text: string, prefix = ''): { readonly platform?: string } {
  if (text === '') return {}
  try {
    return { platform: JSON.stringify(parsePlatform(text)) }
  } catch (error) {
    throw invalidArgument(`${prefix}${messageOf(error)}`, { cause: error })
  }
}
