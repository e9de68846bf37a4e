/** Conditional requests. Every entity tag is a digest in quotes; some of Docker's clients forget the quotes. */

/** The `ETag` of what has this digest. */
export function entityTag(digest: string): string {
  return `"${digest}"`
}

/** True when a header such as `If-None-Match` names the digest, or everything. */
export function namesDigest(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false
  return header
    .split(',')
    .map((tag) => tag.trim().replace(/^W\//, '').replaceAll('"', ''))
    .some((tag) => tag === '*' || tag === digest)
}
