/** Modes that name a network or another container's namespace. Pure. */
import type { ContainerRecord } from './container-record.ts'

/** The container (id or name) whose network namespace `NetworkMode` shares, or undefined. */
export function sharedNetworkTarget(mode: string): string | undefined {
  return mode.startsWith('container:') ? mode.slice('container:'.length) : undefined
}

/** The network that a container asks for. `default` is another name for `bridge`. */
export function networkName(record: ContainerRecord): string {
  if (record.config.NetworkDisabled === true) return 'none'
  const mode = record.hostConfig.NetworkMode ?? 'default'
  return mode === 'default' || mode === '' ? 'bridge' : mode
}
