/** What the `/networks` routes ask of an engine. */
import type {
  EndpointSettings,
  Filters,
  Network,
  NetworkCreateBody,
  NetworkCreateResponse,
  NetworksPruneResponse,
} from '../api/index.ts'

/** What the `/networks` routes call. A network that does not exist rejects with `notFound`. */
export interface NetworkBackend {
  /** `Containers` is not shown in lists and may be empty. */
  list(filters: Filters): Promise<readonly Network[]>
  inspect(nameOrId: string): Promise<Network>
  /** Rejects with `conflict` for a name that is taken, `invalidArgument` for a field. */
  create(request: NetworkCreateBody): Promise<NetworkCreateResponse>
  /** Rejects with `forbidden` when a container uses the network. */
  remove(nameOrId: string): Promise<void>
  /** Removes the networks that no container uses and that match `label`, `label!` and `until`. */
  prune(filters: Filters): Promise<NetworksPruneResponse>
  /** `container` is an id, a unique prefix of an id, or a name. */
  connect(nameOrId: string, container: string, settings: EndpointSettings): Promise<void>
  disconnect(nameOrId: string, container: string): Promise<void>
}
