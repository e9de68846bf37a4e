/** A word, flag or mount that can't be read or expanded. It knows no place; who reads the line adds that. */
export class ExpansionError extends Error {
  override readonly name = 'ExpansionError'
}
