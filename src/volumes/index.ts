export { diskUsage } from './disk-usage.ts'
export { anonymousLabel, checkVolumeName } from './volume-name.ts'
export type { VolumeRecord, VolumeRequest, VolumeSummary } from './volume-record.ts'
export { Volumes, type VolumesOptions } from './volumes.ts'
