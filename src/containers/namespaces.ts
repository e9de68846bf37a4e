/** Modes that name another container's namespace. Pure. */

/** The container whose network namespace `NetworkMode` shares, or undefined. */
export function sharedNetworkTarget(mode: string): string | undefined {
  return mode.startsWith('container:') ? mode.slice('container:'.length) : undefined
}
