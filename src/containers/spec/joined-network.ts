/** The network of a running container, for containers and build steps that join it (`--network container:NAME`). */
import type { Uses } from '../record/dependencies.ts'
import { networkOwner } from '../record/namespaces.ts'
import { namespaceOf } from './spec-request.ts'

/** What is needed to join a container's network: the path of its network namespace, and the host paths of its `hosts`,
 *  `hostname` and `resolv.conf`. */
export interface JoinedNetwork {
  readonly namespace: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** Finds the network of a running container by name or id. A container that joined another one's network has the files
 *  of that one. Throws `notFound` for an unknown container and `conflict` for one that does not run. */
export function joinedNetwork(context: Uses<'containers' | 'paths'>, container: string): JoinedNetwork {
  const namespace = namespaceOf(context, container, 'net')
  const { id } = networkOwner(context.containers.get(container), (target) => context.containers.get(target))
  const { paths } = context
  return { namespace, hosts: paths.hosts(id), hostname: paths.hostname(id), resolvConf: paths.resolvConf(id) }
}
