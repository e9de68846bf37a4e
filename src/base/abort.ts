/** Options that every cancellable call takes last. */
export interface AbortOptions {
  readonly signal?: AbortSignal | undefined
}
