/** Words of a command line as the shell would make them, quotes and backslashes taken away. */

const piece = /\s+|"(?:[^"\\]|\\.)*"?|'[^']*'?|\\.?|[^\s"'\\]+/gs

/** The last word is the one that is being typed; it is empty behind a space. */
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
