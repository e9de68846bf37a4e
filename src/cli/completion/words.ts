/** Splits a command line into words as a shell does, without quotes and backslashes. */

const piece = /\s+|"(?:[^"\\]|\\.)*"?|'[^']*'?|\\.?|[^\s"'\\]+/gs

/** The words of a line. The last one is at the cursor; it is empty after a space. */
export function splitLine(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (const [text] of line.matchAll(piece)) {
    if (/^\s/.test(text)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + unquoted(text)
    }
  }
  return [...words, word ?? '']
}

function unquoted(text: string): string {
  if (text.startsWith("'")) return text.replace(/^'|'$/g, '')
  if (text.startsWith('"')) return text.replace(/^"|(?<!\\)"$/g, '').replace(/\\(["\\$`])/g, '$1')
  return text.startsWith('\\') ? text.slice(1) : text
}
