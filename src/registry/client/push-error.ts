import { BerthError } from '../../base/index.ts'
import { registryCodeOf } from './transport/registry-errors.ts'

/** Turns the error of a failed push into Docker's form: the registry's message without the URL, or Docker's message
 *  for the status if the registry sent none. Other values are returned as they are. */
export function pushError(error: unknown): unknown {
  if (!(error instanceof BerthError)) return error
  const reword = (text: string) => new BerthError(error.kind, text, { cause: error, details: error.details })
  const bare = /: (no basic auth credentials)$/.exec(error.message)?.[1]
  if (bare !== undefined) return reword(bare)
  if (registryCodeOf(error) !== undefined) return error
  if (error.details.status === 401) return reword('unauthorized: authentication required')
  if (error.details.status === 403) return reword('denied: requested access to the resource is denied')
  return error
}
