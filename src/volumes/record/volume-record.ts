import type { VolumeScope } from '../drivers/volume-driver.ts'

/** A volume: one row, as frozen plain data. */
export interface VolumeRecord {
  readonly version: 1
  readonly name: string
  /** `local`, or the name of a plugin. */
  readonly driver: string
  /** Path on the host; '' for a plugin's volume that was never mounted. */
  readonly mountpoint: string
  readonly created: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  /** The volume was made without a name, for one container. */
  readonly anonymous: boolean
}

/** A volume with the number of containers that use it and what its driver reports now. */
export interface VolumeSummary extends VolumeRecord {
  readonly users: number
  readonly scope: VolumeScope
  readonly status?: Readonly<Record<string, unknown>> | undefined
}

/** A volume to create. Without a name it is anonymous. */
export interface VolumeRequest {
  readonly name?: string | undefined
  /** Name of the driver. Absent or empty: the driver that has a volume of that name, else `local`. */
  readonly driver?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
  /** The caller generated the name, for one container. */
  readonly anonymous?: boolean | undefined
}
