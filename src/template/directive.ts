/** The flags, width and precision of a `%…` of `fmt.Sprintf`. */

/** One `%…` of a format. */
export interface Directive {
  readonly verb: string
  readonly width: number | undefined
  readonly precision: number | undefined
  readonly left: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
}

/** Pads a text to the width, which counts characters. */
export function padded(text: string, { width = 0, left, zero }: Directive): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (left) return text + ' '.repeat(missing)
  return (zero ? '0' : ' ').repeat(missing) + text
}
