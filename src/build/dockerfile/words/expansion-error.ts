/** A word, flag or mount that can't be parsed or expanded. It has no place; the caller that knows the line adds it. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError'
}
