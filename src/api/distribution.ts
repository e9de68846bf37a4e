import type { OciDescriptor, OciPlatform } from './descriptors.ts'

/** `GET /distribution/{name}/json`: what a registry has under a reference. */
export interface DistributionInspect {
  readonly Descriptor: OciDescriptor
  readonly Platforms: readonly OciPlatform[]
}
