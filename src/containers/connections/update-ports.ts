/** Changes published ports of an existing container, running or not. `PortBindings` of an update replaces the whole
 *  set. */
import type { PortMap } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { portRequests } from '../record/port-requests.ts'
import { isUp } from '../record/state.ts'
import { sandboxOwner } from './connect.ts'

/** The record with these published ports, which also count as exposed, as after create. Throws `invalidArgument` for a
 *  text that is not a port, and `conflict` for a container that uses another container's network. */
export function withPorts(record: ContainerRecord, bindings: PortMap): ContainerRecord {
  const hostConfig = { ...record.hostConfig, PortBindings: bindings }
  const exposed = Object.fromEntries(Object.keys(bindings).map((port) => [port, {}]))
  const config = { ...record.config, ExposedPorts: { ...record.config.ExposedPorts, ...exposed } }
  const mode = hostConfig.NetworkMode ?? ''
  if (portRequests(config, hostConfig).length > 0 && (mode === 'host' || mode.startsWith('container:'))) {
    throw conflict(`a container with network mode "${mode}" publishes no ports of its own`)
  }
  return withChanges(record, { hostConfig, config })
}

/** Publishes exactly the record's ports if the container runs. Gives a function that restores the previous ones. Throws
 *  Docker's error if a port is taken; nothing has changed then. */
export async function applyPorts(
  context: Uses<'networks' | 'settings'>,
  before: ContainerRecord,
  after: ContainerRecord,
): Promise<() => Promise<void>> {
  const { sandboxes } = context.networks
  if (!isUp(before.state.status) || sandboxes.find(before.id) === undefined) return async () => {}
  await sandboxes.changePorts(sandboxOwner(context, after))
  return async () => {
    await sandboxes.changePorts(sandboxOwner(context, before))
  }
}
