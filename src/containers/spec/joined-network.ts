/** The network of a running container, for what joins it without being a container: steps of a build. */
import type { Uses } from '../record/dependencies.ts'
import { namespaceOf } from './spec-request.ts'

/** Paths of the namespace and of the container's own files. */
export interface JoinedNetwork {
  readonly namespace: string
  readonly hosts: string
  readonly hostname: string
  readonly resolvConf: string
}

/** Throws `notFound` for an unknown container and `conflict` for one that does not run. */
export function joinedNetwork(context: Uses<'containers' | 'paths'>, container: string): JoinedNetwork {
  const namespace = namespaceOf(context, container, 'net')
  const { id } = context.containers.get(container)
  const { paths } = context
  return { namespace, hosts: paths.hosts(id), hostname: paths.hostname(id), resolvConf: paths.resolvConf(id) }
}
