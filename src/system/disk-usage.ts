/** What `GET /system/df` answers: what images, containers, volumes and the build cache take of the disk. */
import type { DiskUsage, DiskUsageType } from '../api/index.ts'
import type { BuildBackend, ContainerBackend } from '../contract/index.ts'
import type { Images } from '../images/index.ts'
import { measuredVolumes, type Volumes } from '../volumes/index.ts'

/** What is measured. */
export interface DiskUsageParts {
  readonly images: Images
  readonly volumes: Volumes
  readonly containers: Pick<ContainerBackend, 'list'>
  readonly builds: Pick<BuildBackend, 'usage'>
}

/** Measures objects of these types; the lists of the other types are null, as with Docker. Sizes are in bytes. */
export async function measureDiskUsage(parts: DiskUsageParts, types: ReadonlySet<DiskUsageType>): Promise<DiskUsage> {
  const images = types.has('image') ? await parts.images.catalog.diskUsage() : undefined
  return {
    LayersSize: images?.totalBytes ?? 0,
    Images: images?.images ?? null,
    Containers: types.has('container') ? await parts.containers.list({ all: true, size: true, filters: {} }) : null,
    Volumes: types.has('volume') ? await measuredVolumes(parts.volumes) : null,
    BuildCache: types.has('build-cache') ? await parts.builds.usage() : null,
  }
}
