import { isKind } from '../base/index.ts'
import { diskUsage } from './disk-usage.ts'
import { localDriverName } from './drivers/volume-drivers.ts'
import type { VolumeRecord, VolumeSummary } from './record/volume-record.ts'
import type { Volumes } from './volumes.ts'

/** True for a local volume without options. As in Docker, other volumes are neither measured nor pruned. */
export function isMeasured({ driver, options }: VolumeRecord): boolean {
  return driver === localDriverName && Object.keys(options).length === 0
}

/** Removes the volumes that no container uses and that `selects` accepts. Returns the removed ones and their size in
 *  bytes. */
export async function pruneVolumes(
  volumes: Volumes,
  selects: (volume: VolumeSummary) => boolean,
): Promise<{ readonly removed: readonly VolumeRecord[]; readonly reclaimedBytes: number }> {
  const removed: VolumeRecord[] = []
  let reclaimedBytes = 0
  for (const volume of (await volumes.catalog.list()).volumes) {
    if (volume.users > 0 || !isMeasured(volume) || !selects(volume)) continue
    try {
      const bytes = await diskUsage(volume.mountpoint)
      const record = await volumes.remove(volume.name)
      if (record === undefined) continue
      removed.push(record)
      reclaimedBytes += bytes
    } catch (error) {
      // While it was measured, a container began to use it, or another request removed it.
      if (isKind(error, 'conflict') || isKind(error, 'notFound')) continue
      throw error
    }
  }
  return { removed, reclaimedBytes }
}
