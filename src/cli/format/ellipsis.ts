/** Cuts text for tables. */

/** Cuts a text to `length` characters. The last one is an ellipsis if something was cut. */
export function ellipsis(text: string, length: number): string {
  const characters = [...text]
  if (characters.length <= length) return text
  return length <= 1 ? characters.slice(0, length).join('') : `${characters.slice(0, length - 1).join('')}…`
}
