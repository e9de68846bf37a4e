/** The interface of drivers of volumes: the local one, and each plugin. */

/** A volume as its driver reports it. */
export interface DriverVolume {
  readonly name: string
  /** Path on the host; '' when the driver knows it only while the volume is mounted. */
  readonly mountpoint: string
  readonly created?: string | undefined
  /** Details in the driver's own form. */
  readonly status?: Readonly<Record<string, unknown>> | undefined
}

/** `local` volumes exist on this host only, `global` ones on every host. */
export type VolumeScope = 'local' | 'global'

/** A driver of volumes. All methods throw `internal` with the driver's own message when it refuses, and `unavailable`
 *  when it can't be reached. */
export interface VolumeDriver {
  readonly name: string
  scope(): Promise<VolumeScope>
  create(name: string, options: Readonly<Record<string, string>>): Promise<void>
  remove(name: string): Promise<void>
  /** The volume of that name, or undefined when there is none. */
  find(name: string): Promise<DriverVolume | undefined>
  list(): Promise<readonly DriverVolume[]>
  /** Makes the volume usable for `holder` and returns its directory on the host. Repeating it changes nothing. */
  mount(name: string, holder: string): Promise<string>
  /** Ends the use by `holder`; no error when it did not use the volume. */
  unmount(name: string, holder: string): Promise<void>
}
