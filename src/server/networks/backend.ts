import type { Network } from '../../api/index.ts'
import type { Filters } from '../containers/index.ts'

/** What the `/networks` routes call. */
export interface NetworkBackend {
  /** `Containers` is not shown in lists and may be empty. */
  list(filters: Filters): Promise<readonly Network[]>
  inspect(nameOrId: string): Promise<Network>
}
