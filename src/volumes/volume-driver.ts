/** What a driver of volumes does: the local one, and each plugin. */

/** A volume as its driver knows it. */
export interface DriverVolume {
  readonly name: string
  /** '' when the driver tells it only while the volume is mounted. */
  readonly mountpoint: string
  readonly created?: string | undefined
  /** The driver's own words about it. */
  readonly status?: Readonly<Record<string, unknown>> | undefined
}

/** `local` volumes are this host's, `global` ones the same on every host. */
export type VolumeScope = 'local' | 'global'

/** Drivers throw `internal` with their own words for what they refuse, `unavailable` when they can't be asked. */
export interface VolumeDriver {
  readonly name: string
  scope(): Promise<VolumeScope>
  create(name: string, options: Readonly<Record<string, string>>): Promise<void>
  remove(name: string): Promise<void>
  /** Undefined when the driver has no such volume. */
  find(name: string): Promise<DriverVolume | undefined>
  list(): Promise<readonly DriverVolume[]>
  /** Makes the volume ready for `holder`; gives its directory. Again for the same holder changes nothing. */
  mount(name: string, holder: string): Promise<string>
  /** `holder` does not use it any more. */
  unmount(name: string, holder: string): Promise<void>
}
