/** How an option of `berthd` is described. */
export type OptionKind = 'string' | 'boolean' | 'number' | 'list' | 'map' | 'object' | 'objects'

export interface DaemonOption {
  /** Long flag without dashes; absent for what only daemon.json can say. */
  readonly flag?: string
  readonly short?: string
  /** Key in daemon.json; absent for what only the command line can say. */
  readonly key?: string
  readonly kind: OptionKind
  readonly help: string
  /** True when a SIGHUP applies a new value without a restart. */
  readonly reloadable?: boolean
}
