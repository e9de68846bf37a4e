import { invalidArgument } from '../../base/index.ts'
import {
  familiarName,
  type Platform,
  parsePlatform,
  parseReference,
  type Reference,
  withDefaultTag,
  withTag,
} from '../../oci/index.ts'

/** The reference for a new name of an image. `tag` replaces the tag that `repository` has. Throws `invalidArgument`
 *  with Docker's texts. */
export function nameFrom(repository: string, tag = ''): Reference {
  const given = parseReference(repository)
  const reference = tag === '' || given.digest !== undefined ? withDefaultTag(given) : withTag(given, tag)
  if (reference.digest !== undefined) throw invalidArgument('cannot import digest reference')
  if (familiarName(reference) === 'sha256') {
    throw invalidArgument('refusing to create an ambiguous tag using digest algorithm as name')
  }
  return reference
}

/** The platform that a request names (`os[/arch[/variant]]`); undefined for none. Throws `invalidArgument`. */
export function wantedPlatform(text: string | undefined): Platform | undefined {
  return text === undefined || text === '' ? undefined : parsePlatform(text)
}
