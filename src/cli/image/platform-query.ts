/** `--platform` of the commands that send it along. */
import { invalidArgument, messageOf } from '../../base/index.ts'
import { parsePlatform } from '../../oci/index.ts'

/** The API takes a platform as a JSON object. Throws `invalidArgument`, with `prefix` before the text. */
export function platformQuery(text: string, prefix = ''): { readonly platform?: string } {
  if (text === '') return {}
  try {
    return { platform: JSON.stringify(parsePlatform(text)) }
  } catch (error) {
    throw invalidArgument(`${prefix}${messageOf(error)}`, { cause: error })
  }
}
