/** A volume: one row, frozen plain data. */
export interface VolumeRecord {
  readonly version: 1
  readonly name: string
  readonly driver: 'local'
  readonly mountpoint: string
  readonly created: string
  readonly labels: Readonly<Record<string, string>>
  readonly options: Readonly<Record<string, string>>
  /** Made without a name, for one container. */
  readonly anonymous: boolean
}

/** A volume and how many containers use it. */
export interface VolumeSummary extends VolumeRecord {
  readonly users: number
}

/** What a new volume is to be. Without a name it is anonymous. */
export interface VolumeRequest {
  readonly name?: string | undefined
  readonly driver?: string | undefined
  readonly labels?: Readonly<Record<string, string>> | undefined
  readonly options?: Readonly<Record<string, string>> | undefined
  /** The name was made up by the caller, for one container. */
  readonly anonymous?: boolean | undefined
}
