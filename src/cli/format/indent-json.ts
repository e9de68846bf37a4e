/** Indents JSON text by four spaces without parsing it: the order of keys, numbers and escapes stay unchanged. */
export function indentJson(text: string, indent = '    '): string {
  let result = ''
  let depth = 0
  let previous = ''
  const newline = (): string => `\n${indent.repeat(depth)}`
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    const opened = isOpening(previous)
    if (isClosing(token)) {
      depth--
      // An empty object or list stays on its line.
      result += opened ? token : newline() + token
    } else {
      if (opened || previous === ',') result += newline()
      if (isOpening(token)) depth++
      result += token === ':' ? ': ' : token
    }
    previous = token
  }
  return result
}

function isOpening(token: string): boolean {
  return token === '{' || token === '['
}

function isClosing(token: string): boolean {
  return token === '}' || token === ']'
}
