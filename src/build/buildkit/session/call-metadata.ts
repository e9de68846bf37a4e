/** Options of a call as headers: a name may have several values, and all of them are ASCII. */

/** Values with other characters are encoded, which another header says. */
export function metadataOf(
  options: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, readonly string[]>> {
  const metadata: Record<string, readonly string[]> = {}
  for (const [name, values] of Object.entries(options)) {
    if (values.length === 0) continue
    const isPlain = values.every((value) => /^[\x20-\x7e]*$/.test(value))
    metadata[name] = isPlain ? values : values.map(encodeURIComponent)
    if (!isPlain) metadata[`${name}-encoded`] = ['1']
  }
  return metadata
}
