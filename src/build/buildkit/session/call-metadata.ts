/** Call options as gRPC headers. A name may have several values. Header values are ASCII. */

/** Makes the headers. Values with other characters are URL-encoded, which an additional header states. */
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

/** Which output a call to the client belongs to. */
export interface ExportCall {
  readonly signal: AbortSignal
  /** Index of the exporter. */
  readonly output: number
  /** Facts that the client may need before it opens the file. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** The headers of such a call. */
export function exportMetadata({ output }: ExportCall, more: Readonly<Record<string, readonly string[]>> = {}) {
  return metadataOf({ 'buildkit-attachable-exporter-id': [String(output)], ...more })
}
