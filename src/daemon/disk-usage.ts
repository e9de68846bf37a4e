/** `GET /system/df`: what images, containers and volumes take. */
import type { DiskUsage, DiskUsageType, ImageSummary, Volume } from '../api/index.ts'
import type { ContainerContext, ContainerService } from '../containers/index.ts'
import type { Images } from '../images/index.ts'
import { diskUsage as sizeOf, type Volumes } from '../volumes/index.ts'
import { toVolume } from './volume-backend.ts'

export interface DiskUsageParts {
  readonly images: Images
  readonly volumes: Volumes
  readonly containers: ContainerService
  readonly snapshots: ContainerContext['snapshots']
}

/** Measures what was asked for. */
export async function measureDiskUsage(parts: DiskUsageParts, types: ReadonlySet<DiskUsageType>): Promise<DiskUsage> {
  return {
    ...(types.has('image') ? { LayersSize: await layersSize(parts), Images: await images(parts) } : {}),
    ...(types.has('container')
      ? { Containers: await parts.containers.list({ all: true, size: true, filters: {} }) }
      : {}),
    ...(types.has('volume') ? { Volumes: await volumes(parts) } : {}),
    ...(types.has('build-cache') ? { BuildCache: [] } : {}),
  }
}

/** Layers that several images share count once. */
async function layersSize({ snapshots }: DiskUsageParts): Promise<number> {
  let bytes = 0
  for await (const { kind, sizeBytes } of snapshots.walk()) if (kind === 'committed') bytes += sizeBytes ?? 0
  return bytes
}

async function images({ images }: DiskUsageParts): Promise<readonly ImageSummary[]> {
  return images.list({ all: false, filters: {}, sharedSize: true })
}

async function volumes({ volumes }: DiskUsageParts): Promise<readonly Volume[]> {
  return Promise.all(
    volumes.list().map(async (record) => ({
      ...toVolume(record),
      UsageData: { Size: await sizeOf(record.mountpoint), RefCount: record.users },
    })),
  )
}
