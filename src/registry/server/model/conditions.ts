/** Conditional requests (RFC 9110, 13). Every entity tag is a digest in quotes; some of Docker's clients omit the
 *  quotes. */

/** The `ETag` of the content with this digest. */
export function entityTag(digest: string): string {
  return `"${digest}"`
}

/** True if a header such as `If-None-Match` contains the digest or `*`. */
export function namesDigest(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false
  return header
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === digest)
}
