import type { VolumeScope } from './volume-driver.ts'

/** A volume: one row, frozen plain data. */
export interface VolumeRecord {
  readonly version: 1
  readonly name: string
  /** `local`, or the name of a plugin. */
  readonly driver: string
  /** '' for a plugin's volume that was never mounted. */
  readonly mountpoint: string
  readonly created: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  /** Made without a name, for one container. */
  readonly anonymous: boolean
}

/** A volume, how many containers use it, and what its driver says of it now. */
export interface VolumeSummary extends VolumeRecord {
  readonly users: number
  readonly scope: VolumeScope
  readonly status?: Readonly<Record<string, unknown>> | undefined
}

/** What a new volume is to be. Without a name it is anonymous. */
export interface VolumeRequest {
  readonly name?: string | undefined
  /** Empty: the driver that has a volume of that name, else `local`. */
  readonly driver?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
  /** The name was made up by the caller, for one container. */
  readonly anonymous?: boolean | undefined
}
