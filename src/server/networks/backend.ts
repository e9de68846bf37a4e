import type {
  EndpointSettings,
  Network,
  NetworkCreateBody,
  NetworkCreateResponse,
  NetworksPruneResponse,
} from '../../api/index.ts'
import type { Filters } from '../containers/index.ts'

/** What the `/networks` routes call. */
export interface NetworkBackend {
  /** `Containers` is not shown in lists and may be empty. */
  list(filters: Filters): Promise<readonly Network[]>
  inspect(nameOrId: string): Promise<Network>
  create(request: NetworkCreateBody): Promise<NetworkCreateResponse>
  remove(nameOrId: string): Promise<void>
  /** Removes the networks that no container uses. */
  prune(filters: Filters): Promise<NetworksPruneResponse>
  connect(nameOrId: string, container: string, settings: EndpointSettings): Promise<void>
  /** With `force`, also what is left of a container that is gone. */
  disconnect(nameOrId: string, container: string, options: { readonly force: boolean }): Promise<void>
}
