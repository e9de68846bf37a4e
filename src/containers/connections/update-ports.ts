/** The ports of a container that exists, running or not: `PortBindings` of an update is the whole new set, as of a create. */
import type { PortMap } from '../../api/index.ts'
import { conflict } from '../../base/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import { portRequests } from '../record/port-requests.ts'
import { isUp } from '../record/state.ts'
import { sandboxOwner } from './connect.ts'

/** The record with other published ports; they count as exposed, as with create. Throws `invalidArgument` for what is no
 *  port, `conflict` for a container whose network is somebody else's. */
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

/** Publishes the record's ports, and no others, where the container runs. What takes it back is returned. Throws in
 *  Docker's words when a port is taken; nothing has changed then. */
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
