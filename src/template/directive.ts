/** What a `%…` of `fmt.Sprintf` asks for besides its verb. */

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

/** To the width, counted in characters. */
export function padded(text: string, { width = 0, left, zero }: Directive): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (left) return text + ' '.repeat(missing)
  return (zero ? '0' : ' ').repeat(missing) + text
}
