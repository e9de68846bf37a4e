/** Checks rights: finds out what a request wants to do, and refuses it if the authorizer does. */
import type { AccessAction, AccessDecision, AccessScope } from '../model/authorizer.ts'
import { RegistryError } from '../model/registry-error.ts'
import type { RegistryExchange } from './registry-exchange.ts'
import type { RequestTarget } from './request-target.ts'
import { decide, type RouteContext } from './route-context.ts'

/** The decision on an allowed request. */
export type Permission = Extract<AccessDecision, { kind: 'allow' }>

/** Asks the authorizer about a request. Throws UNAUTHORIZED or DENIED unless it is allowed. */
export async function authorizeRequest(
  context: Pick<RouteContext, 'authorizer'>,
  exchange: RegistryExchange,
  target: RequestTarget,
): Promise<Permission> {
  const wanted = scopesOf(target, exchange.request.method)
  const decision = await decide(context, exchange.request, wanted)
  exchange.user = decision.user
  if (decision.kind === 'allow') return decision
  const detail = wanted.flatMap(describe)
  if (decision.kind === 'deny') throw new RegistryError('DENIED', { message: decision.message, detail })
  throw new RegistryError('UNAUTHORIZED', {
    message: decision.message,
    detail: detail.length === 0 ? undefined : detail,
    headers: { 'WWW-Authenticate': decision.challenge },
  })
}

function scopesOf(target: RequestTarget, method: string): readonly AccessScope[] {
  if (target.kind === 'base') return []
  if (target.kind === 'catalog') return [{ type: 'registry', name: 'catalog', actions: ['*'] }]
  return [{ type: 'repository', name: target.repository, actions: actionsOf(target, method) }]
}

function actionsOf({ kind }: RequestTarget, method: string): readonly AccessAction[] {
  // All requests about uploads need the right to push, also those for the status and the cancellation.
  if (kind === 'upload' || kind === 'upload-start') return ['pull', 'push']
  if (method === 'DELETE') return ['delete']
  return method === 'GET' || method === 'HEAD' ? ['pull'] : ['pull', 'push']
}

/** The scope in the form that Docker's registry puts into error details. */
function describe({ type, name, actions }: AccessScope) {
  return actions.map((action) => ({ Type: type, Class: '', Name: name, Action: action }))
}
