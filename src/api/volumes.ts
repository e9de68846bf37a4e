import type { Optional, StringMap } from './optional.ts'

/** A volume, as `GET /volumes/{name}` shows it. */
export interface Volume {
  readonly Name: string
  readonly Driver: string
  readonly Mountpoint: string
  readonly CreatedAt?: string | undefined
  readonly Status?: Readonly<Record<string, unknown>> | undefined
  readonly Labels: StringMap | null
  readonly Scope: 'local' | 'global'
  readonly Options: StringMap | null
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | undefined
}

/** Body of `POST /volumes/create`. */
export type VolumeCreateBody = Optional<{
  /** Empty: the engine makes a name up. */
  Name: string
  Driver: string
  DriverOpts: StringMap
  Labels: StringMap
  ClusterVolumeSpec: object
}>

/** Result of `GET /volumes`. */
export interface VolumeListResponse {
  readonly Volumes: readonly Volume[]
  readonly Warnings: readonly string[] | null
}

/** Result of `POST /volumes/prune`: names, and the bytes that were freed. */
export interface VolumesPruneResponse {
  readonly VolumesDeleted: readonly string[] | null
  readonly SpaceReclaimed: number
}
