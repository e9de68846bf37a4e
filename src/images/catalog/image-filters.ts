/** The filter `reference` of `GET /images/json`. */
import { invalidArgument } from '../../base/index.ts'
import { familiarName, familiarReference, type Reference } from '../../oci/index.ts'

/** True when one of the glob patterns matches the short form or the bare name of a reference. */
export function matchesReference(reference: Reference, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const glob = globPattern(pattern)
    return glob.test(familiarReference(reference)) || glob.test(familiarName(reference))
  })
}

/** Go's path.Match: `*` and `?` stop at slashes. */
function globPattern(glob: string): RegExp {
  let source = ''
  for (let at = 0; at < glob.length; at += 1) {
    const char = glob[at] ?? ''
    const close = char === '[' ? glob.indexOf(']', at + 1) : -1
    if (char === '[' && close === -1) throw invalidArgument('syntax error in pattern')
    if (char === '*') source += '[^/]*'
    else if (char === '?') source += '[^/]'
    else if (close !== -1) {
      source += `[${glob.slice(at + 1, close).replace(/[\\\]]/g, '\\$&')}]`
      at = close
    } else if (char === '\\' && at + 1 < glob.length) {
      at += 1
      source += escapeRegex(glob[at] ?? '')
    } else source += escapeRegex(char)
  }
  try {
    return new RegExp(`^${source}$`)
  } catch (cause) {
    throw invalidArgument('syntax error in pattern', { cause })
  }
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}
