/** Cuts text for tables. */

/** At most `length` characters, the last one an ellipsis when something was cut. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text]
  if (characters.length <= length) return text
  return length <= 1 ? characters.slice(0, length).join('') : `${characters.slice(0, length - 1).join('')}…`
}
