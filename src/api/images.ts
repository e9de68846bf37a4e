import type { ContainerConfig } from './container-config.ts'
import type { DriverData } from './container-inspect.ts'
import type { OciDescriptor, OciPlatform } from './descriptors.ts'
import type { StringMap } from './optional.ts'

/** One entry of `GET /images/json`. Sizes are bytes; a count or size that was not asked for is -1. */
export interface ImageSummary {
  readonly Id: string
  readonly ParentId: string
  readonly RepoTags: readonly string[]
  readonly RepoDigests: readonly string[]
  /** Unix seconds. */
  readonly Created: number
  readonly Size: number
  readonly SharedSize: number
  readonly Labels: StringMap | null
  readonly Containers: number
  readonly Manifests?: readonly ImageManifestSummary[] | undefined
  readonly Descriptor?: OciDescriptor | undefined
}

/** One manifest of an image. Sizes are bytes. */
export interface ImageManifestSummary {
  readonly ID: string
  readonly Descriptor: OciDescriptor
  readonly Available: boolean
  readonly Size: { readonly Total: number; readonly Content: number }
  readonly Kind: 'image' | 'attestation' | 'unknown'
  readonly ImageData?:
    | {
        readonly Platform: OciPlatform
        readonly Containers: readonly string[]
        readonly Size: { readonly Unpacked: number }
      }
    | undefined
  readonly AttestationData?: { readonly For: string } | undefined
}

/** Result of `GET /images/{name}/json`. */
export interface ImageInspect {
  readonly Id: string
  readonly RepoTags: readonly string[]
  readonly RepoDigests: readonly string[]
  readonly Parent: string
  readonly Comment: string
  readonly Created?: string | undefined
  readonly DockerVersion: string
  readonly Author: string
  readonly Config: ImageConfig | null
  readonly Architecture: string
  readonly Variant?: string | undefined
  readonly Os: string
  readonly OsVersion?: string | undefined
  readonly Size: number
  readonly GraphDriver: DriverData
  readonly RootFS: { readonly Type: string; readonly Layers?: readonly string[] | undefined }
  readonly Metadata: { readonly LastTagTime: string }
  readonly Descriptor?: OciDescriptor | undefined
  readonly Manifests?: readonly ImageManifestSummary[] | undefined
}

/** The defaults that an image gives to its containers. */
export type ImageConfig = Pick<
  ContainerConfig,
  | 'User'
  | 'ExposedPorts'
  | 'Env'
  | 'Cmd'
  | 'Healthcheck'
  | 'ArgsEscaped'
  | 'Volumes'
  | 'WorkingDir'
  | 'Entrypoint'
  | 'OnBuild'
  | 'Labels'
  | 'StopSignal'
  | 'Shell'
>

/** One entry of `GET /images/{name}/history`, newest first. */
export interface ImageHistoryItem {
  /** The image's id on the newest entry, `<missing>` on the older ones. */
  readonly Id: string
  /** Unix seconds. */
  readonly Created: number
  readonly CreatedBy: string
  readonly Tags: readonly string[] | null
  readonly Size: number
  readonly Comment: string
}

/** One step of `DELETE /images/{name}`: exactly one member is set. */
export interface ImageDeleteItem {
  readonly Untagged?: string | undefined
  readonly Deleted?: string | undefined
}

/** Result of `POST /images/prune`. */
export interface ImagesPruneResponse {
  readonly ImagesDeleted: readonly ImageDeleteItem[] | null
  readonly SpaceReclaimed: number
}

/** One line of the JSON streams of pull, load, import, push and build. */
export interface ProgressMessage {
  readonly stream?: string | undefined
  readonly status?: string | undefined
  readonly progressDetail?: ProgressDetail | undefined
  /** A progress bar, for clients that do not draw one themselves. */
  readonly progress?: string | undefined
  readonly id?: string | undefined
  readonly aux?: unknown
  readonly errorDetail?: { readonly code?: number | undefined; readonly message: string } | undefined
  readonly error?: string | undefined
}

/** Numbers of a progress bar. */
export interface ProgressDetail {
  readonly current?: number | undefined
  readonly total?: number | undefined
  readonly start?: number | undefined
  readonly hidecounts?: boolean | undefined
  readonly units?: string | undefined
}

/** Result of `POST /auth`. */
export interface AuthResponse {
  readonly Status: string
  /** A token that the client stores in place of the password; empty when the registry gave none. */
  readonly IdentityToken: string
}

/** One result of `GET /images/search`. */
export interface SearchResult {
  readonly star_count: number
  readonly is_official: boolean
  readonly name: string
  readonly is_automated: boolean
  readonly description: string
}

/** Registry credentials: `X-Registry-Auth` (base64url JSON) and body of `POST /auth`. */
export interface AuthConfig {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly auth?: string | undefined
  readonly email?: string | undefined
  readonly serveraddress?: string | undefined
  readonly identitytoken?: string | undefined
  readonly registrytoken?: string | undefined
}
