import type { ContainerStatus } from './container-inspect.ts'
import type { OciDescriptor } from './descriptors.ts'
import type { EndpointSettings } from './endpoints.ts'
import type { MountPoint } from './mounts.ts'
import type { StringMap } from './optional.ts'
import type { Port } from './ports.ts'

/** One entry of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string
  /** With their leading slashes. */
  readonly Names: readonly string[]
  readonly Image: string
  readonly ImageID: string
  readonly ImageManifestDescriptor?: OciDescriptor | undefined
  readonly Command: string
  /** Unix seconds. */
  readonly Created: number
  readonly Ports: readonly Port[]
  readonly SizeRw?: number | undefined
  readonly SizeRootFs?: number | undefined
  readonly Labels: StringMap
  readonly State: ContainerStatus
  /** Readable text, like `Up 3 minutes`. */
  readonly Status: string
  readonly HostConfig: { readonly NetworkMode?: string | undefined; readonly Annotations?: StringMap | undefined }
  readonly NetworkSettings: { readonly Networks: Readonly<Record<string, EndpointSettings>> | null }
  readonly Mounts: readonly MountPoint[]
}
