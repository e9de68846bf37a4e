/** The kinds of values that an option of `berthd` can have. */
export type OptionKind = 'string' | 'boolean' | 'number' | 'list' | 'map' | 'object' | 'objects'

/** One option of `berthd`. */
export interface DaemonOption {
  /** The long flag without dashes. Absent: only daemon.json has this option. */
  readonly flag?: string
  readonly short?: string
  /** The key in daemon.json. Absent: only the command line has this option. */
  readonly key?: string
  readonly kind: OptionKind
  readonly help: string
  /** True when SIGHUP applies a new value without a restart. */
  readonly reloadable?: boolean
}
