/** `GET /system/df`: what images, containers and volumes take. */
import type { DiskUsage, DiskUsageType, Volume } from '../api/index.ts'
import type { BuildService } from '../build/index.ts'
import type { ContainerService } from '../containers/index.ts'
import type { Images } from '../images/index.ts'
import { isMeasured, diskUsage as sizeOf, type Volumes } from '../volumes/index.ts'
import { toVolume } from './volume-backend.ts'

export interface DiskUsageParts {
  readonly images: Images
  readonly volumes: Volumes
  readonly containers: ContainerService
  readonly builds: Pick<BuildService, 'usage'>
}

/** Measures what was asked for; the rest is nothing, as Docker has it. */
export async function measureDiskUsage(parts: DiskUsageParts, types: ReadonlySet<DiskUsageType>): Promise<DiskUsage> {
  const images = types.has('image') ? await parts.images.catalog.diskUsage() : undefined
  return {
    LayersSize: images?.totalBytes ?? 0,
    Images: images?.images ?? null,
    Containers: types.has('container') ? await parts.containers.list({ all: true, size: true, filters: {} }) : null,
    Volumes: types.has('volume') ? await volumes(parts) : null,
    BuildCache: types.has('build-cache') ? await parts.builds.usage() : null,
  }
}

async function volumes({ volumes }: DiskUsageParts): Promise<readonly Volume[]> {
  const measured = (await volumes.catalog.list()).volumes.filter(isMeasured)
  return await Promise.all(
    measured.map(async (volume) => ({
      ...toVolume(volume),
      UsageData: { Size: await sizeOf(volume.mountpoint), RefCount: volume.users },
    })),
  )
}
