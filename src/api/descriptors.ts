import type { StringMap } from './optional.ts'

/** A typed pointer to a blob, as it appears in API answers. */
export interface OciDescriptor {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[] | undefined
  readonly annotations?: StringMap | undefined
  readonly data?: string | undefined
  readonly platform?: OciPlatform | undefined
  readonly artifactType?: string | undefined
}

/** A platform, as it appears in API answers. */
export interface OciPlatform {
  readonly architecture: string
  readonly os: string
  readonly 'os.version'?: string | undefined
  readonly 'os.features'?: readonly string[] | undefined
  readonly variant?: string | undefined
}
