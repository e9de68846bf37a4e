import { invalidArgument } from '../base/index.ts'
import { familiarName, parseReference, type Reference, withDefaultTag } from '../oci/index.ts'

/** A name to be given to an image. Throws `invalidArgument` with Docker's texts. */
export function nameFrom(text: string): Reference {
  const reference = withDefaultTag(parseReference(text))
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  if (familiarName(reference) === 'sha256') {
    throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name')
  }
  return reference
}
