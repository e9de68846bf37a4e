import type { ContainerConfig } from './container-config.ts'
import type { NetworkingConfig } from './endpoints.ts'
import type { HostConfig } from './host-config.ts'

/** Body of `POST /containers/create`: ContainerConfig with two more members. */
export type ContainerCreateBody = ContainerConfig & {
  readonly HostConfig?: HostConfig | null | undefined
  readonly NetworkingConfig?: NetworkingConfig | null | undefined
}

/** Result of `POST /containers/create`. */
export interface ContainerCreateResponse {
  readonly Id: string
  readonly Warnings: readonly string[]
}

/** Result of `POST /containers/{id}/update`. */
export interface ContainerUpdateResponse {
  /** Null when there are none. */
  readonly Warnings: readonly string[] | null
}

/** Result of `POST /containers/{id}/wait`. */
export interface ContainerWaitResponse {
  readonly StatusCode: number
  readonly Error?: { readonly Message: string } | undefined
}

/** When `wait` answers. */
export type WaitCondition = 'not-running' | 'next-exit' | 'removed'

/** Output of `ps` for the processes of a container. */
export interface ContainerTopResponse {
  readonly Titles: readonly string[]
  readonly Processes: readonly (readonly string[])[]
}

/** Result of `POST /containers/prune`: ids, and the bytes of the removed containers' files. */
export interface ContainersPruneResponse {
  readonly ContainersDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}
