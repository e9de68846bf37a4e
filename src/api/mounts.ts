import type { Optional, StringMap } from './optional.ts'

/** One entry of `HostConfig.Mounts` (`--mount`). */
export type Mount = Optional<{
  Type: string
  Source: string
  Target: string
  ReadOnly: boolean
  Consistency: string
  BindOptions: BindOptions
  VolumeOptions: VolumeOptions
  ImageOptions: Optional<{ Subpath: string }>
  TmpfsOptions: TmpfsOptions
  ClusterOptions: object
}>

/** Options of a bind mount. */
export type BindOptions = Optional<{
  Propagation: string
  NonRecursive: boolean
  CreateMountpoint: boolean
  ReadOnlyNonRecursive: boolean
  ReadOnlyForceRecursive: boolean
}>

/** Options of a volume in a mount; they are used when the volume is created. */
export type VolumeOptions = Optional<{
  NoCopy: boolean
  Labels: StringMap
  Subpath: string
  DriverConfig: Optional<{ Name: string; Options: StringMap }>
}>

/** Options of a tmpfs mount. */
export type TmpfsOptions = Optional<{
  SizeBytes: number
  Mode: number
  Options: readonly (readonly string[])[]
}>

/** A mount of a container, as `inspect` and lists show it. */
export interface MountPoint {
  readonly Type: 'bind' | 'volume' | 'image' | 'tmpfs' | 'npipe' | 'cluster'
  readonly Name?: string | undefined
  readonly Source: string
  readonly Destination: string
  readonly Driver?: string | undefined
  readonly Mode: string
  readonly RW: boolean
  readonly Propagation: string
}
