/** Options of every call that can be canceled; always the last parameter. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}
