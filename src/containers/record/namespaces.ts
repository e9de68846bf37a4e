/** Modes that name a network or another container's namespace. Pure. */
import { conflict } from '../../base/index.ts'
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

/** The container whose network this one uses: itself, or the one at the end of a chain of shared networks, which `find`
 *  looks up by name or id. Throws `conflict` if the chain is a circle, and what `find` throws. */
export function networkOwner(record: ContainerRecord, find: (target: string) => ContainerRecord): ContainerRecord {
  const seen = new Set<string>()
  let owner = record
  for (;;) {
    const target = sharedNetworkTarget(networkName(owner))
    if (target === undefined) return owner
    seen.add(owner.id)
    owner = find(target)
    if (seen.has(owner.id)) throw conflict(`cannot join own network namespace: ${owner.id}`)
  }
}
