/** The functions `html`, `js` and `urlquery` of Go's templates. */

const htmlEntities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
  '\0': '\ufffd',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"'\0]/g, (char) => htmlEntities[char] ?? char)
}

export function escapeJs(text: string): string {
  return text.replace(/[\\'"<>&=\u0000-\u001f\u007f-\uffff]/g, (char) => {
    if ('\\\'"'.includes(char)) return `\\${char}`
    const code = char.charCodeAt(0)
    if (code >= 0x80 && (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(char) || (code & 0xf800) === 0xd800)) return char
    if (code === 0x7f) return char
    return `\\u${code.toString(16).toUpperCase().padStart(4, '0')}`
  })
}

export function escapeQuery(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
