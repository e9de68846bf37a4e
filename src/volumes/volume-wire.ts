/** Volumes in Docker's wire form. */
import type { Volume } from '../api/index.ts'
import { diskUsage } from './disk-usage.ts'
import { isMeasured } from './prune-volumes.ts'
import type { VolumeSummary } from './record/volume-record.ts'
import type { Volumes } from './volumes.ts'

/** A volume as `GET /volumes/{name}` shows it. */
export function toVolume(volume: VolumeSummary): Volume {
  return {
    // In Docker's order, in which `docker inspect` prints them.
    CreatedAt: volume.created,
    Driver: volume.driver,
    Labels: Object.keys(volume.labels).length === 0 ? null : volume.labels,
    Mountpoint: volume.mountpoint,
    Name: volume.name,
    Options: Object.keys(volume.options).length === 0 ? null : volume.options,
    Scope: volume.scope,
    ...(volume.status === undefined ? {} : { Status: volume.status }),
  }
}

/** The volumes with their sizes in bytes, as `GET /system/df` shows them. Only local volumes without options are
 *  measured; the others are left out, as with Docker. */
export async function measuredVolumes({ catalog }: Volumes): Promise<readonly Volume[]> {
  const measured = (await catalog.list()).volumes.filter(isMeasured)
  return await Promise.all(
    measured.map(async (volume) => ({
      ...toVolume(volume),
      UsageData: { Size: await diskUsage(volume.mountpoint), RefCount: volume.users },
    })),
  )
}
