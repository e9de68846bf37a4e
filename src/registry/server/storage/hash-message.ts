/** What passes between hash-pool.ts and its threads. */
import type { HashTarget } from './file-hasher.ts'

export type HashRequest =
  | { readonly type: 'advance'; readonly target: HashTarget }
  | { readonly type: 'finish'; readonly number: number; readonly target: HashTarget }
  | { readonly type: 'drop'; readonly id: string }

export interface HashReply {
  readonly number: number
  readonly hex?: string
  readonly failure?: string
}
