/** start: the path that has to be fast. The budget is 30 ms with a bridge network; each step is traced.
 *  Order: mount the root directory, lease the network and write its files, create the container with conmon, connect
 *  the clients that attached before, start the program, write the record, watch for the end.
 *  If a step fails, the program is killed and all earlier steps are undone. A container that is recorded as running is
 *  always watched.
 *  If the daemon is killed midway, the next boot finds either a bundle whose container was never started or a running
 *  container, and handles both (`restore.ts`). */
import {
  BerthError,
  conflict,
  formatNs,
  internal,
  isBerthError,
  messageOf,
  type Undo,
  undoOnFailure,
  zeroTime,
} from '../../base/index.ts'
import type { Sandbox, SandboxRequest } from '../../network/index.ts'
import { buildSpec, exitCodeOf } from '../../runtime/index.ts'
import { sandboxOwner } from '../connections/connect.ts'
import { checkLinks, permitLinks, tellParents } from '../connections/links.ts'
import { writeNetworkFiles } from '../connections/network-files.ts'
import { beginHealthChecks, endHealthChecks } from '../health/health-monitor.ts'
import { requireAppArmor } from '../isolation/app-armor.ts'
import { labelFiles, relabelMounts } from '../isolation/relabel.ts'
import { withLabels } from '../isolation/selinux.ts'
import { asContainerRoot, giveToContainer, remapOf } from '../isolation/user-namespaces.ts'
import { type ContainerRecord, withChanges, withState } from '../record/container-record.ts'
import type { ContainerContext, Uses } from '../record/dependencies.ts'
import { publishContainer, publishUses } from '../record/events.ts'
import { endpointRequest, isWithoutBridge, joinableMemberships, joinedNetworks } from '../record/memberships.ts'
import { sharedNetworkTarget } from '../record/namespaces.ts'
import { checkVerb, isUp } from '../record/state.ts'
import { mountSources } from '../rootfs/mount-sources.ts'
import { ensureDirectory, ensureMountTable, mountRootfs, unmountRootfs } from '../rootfs/rootfs.ts'
import { mountSharedMemory } from '../rootfs/shared-memory.ts'
import { mountVolumes } from '../rootfs/volume-mounts.ts'
import { applyEdits } from '../spec/cdi-edits.ts'
import { requestedEdits } from '../spec/device-requests.ts'
import { joinedNetwork } from '../spec/joined-network.ts'
import { type PreparedRun, specInput } from '../spec/spec-request.ts'
import { connectPending } from '../streams/attach.ts'
import { beginForwarding, prepareLogging } from '../streams/log-forwarding.ts'
import { watchLogSize } from '../streams/log-rotation.ts'
import { releaseRun, watchExit } from './exit.ts'
import { watchOom } from './oom.ts'
import { removeRecord } from './remove.ts'

/** Starts a container, and resolves when its program runs. Throws `notFound` if there is none, `notModified` if it
 *  already runs, and `conflict` if it is paused or being removed. */
export async function startContainer(context: ContainerContext, idOrName: string): Promise<void> {
  const { id } = context.containers.get(idOrName)
  await context.locks.run(id, async () => {
    const record = context.containers.get(id)
    checkVerb('start', record.state.status, id, record.name)
    const live = context.live.of(id)
    if (live.removing) throw conflict('container is marked for removal and cannot be started')
    live.cancelRestart()
    await startLocked(context, withState(record, {}, { restartCount: 0, stoppedByUser: false }))
  })
}

/** Starts a container whose lock the caller holds. A failure is recorded and thrown; if the container has `AutoRemove`,
 *  it is then removed. */
export async function startLocked(context: ContainerContext, stored: ContainerRecord): Promise<void> {
  let record = stored
  try {
    // This call got the lock before the cleanup of the last run, which waits for the lock as well.
    if (context.live.of(record.id).unreleased) await releaseRun(context, record.id)
    record = withLabels(context, record)
    await undoOnFailure(context.logger, (undo) => run(context, record, undo))
  } catch (error) {
    try {
      await recordFailure(context, record, error)
    } catch (failure) {
      context.logger.error('failed start was not recorded', { container: record.id, error: failure })
    }
    throw error
  }
}

async function run(context: ContainerContext, stored: ContainerRecord, undo: Undo): Promise<void> {
  const { id } = stored
  context.cgroups.expectMove()
  const trace = stepTrace(context, id)
  undo.add(() => context.runtime.delete(id, { force: true }))
  const rootfs = await mountRootfs(context, stored)
  undo.add(() => unmountRootfs(context, id))
  const record = await mountVolumes(context, stored)
  await relabelMounts(context, record)
  mountSharedMemory(context, record)
  await mountSources(context, record)
  trace('mount')
  asContainerRoot(context, record.hostConfig, () => {
    ensureDirectory(rootfs, record.config.WorkingDir ?? '')
    // Only before the first start: if a user deletes this file inside the container, a restart does not bring it back.
    if (record.state.startedAt === zeroTime) ensureMountTable(rootfs)
  })
  undo.add(() => context.networks.sandboxes.release(id))
  checkLinks(context, record)
  const { prepared, ready, afterwards } = prepareRun(context, record, rootfs)
  await tellParents(context, record)
  trace('addresses and files')
  await requireAppArmor(context, record.hostConfig)
  const plain = buildSpec(await specInput(context, record, prepared), context.specHost)
  const edits = await requestedEdits(record.hostConfig.DeviceRequests ?? [], context.settings.cdiSpecDirs)
  const spec = edits.length === 0 ? plain : { ...plain, spec: applyEdits(plain.spec, edits) }
  trace('spec')
  const logDriver = await prepareLogging(context, record)
  undo.add(() => logDriver?.close())
  const container = await context.runtime.create({
    id,
    spec,
    stdin: record.config.OpenStdin === true,
    // A terminal has no end of input. Only a pipe is closed when its one client disconnects.
    leaveStdinOpen: record.config.StdinOnce !== true || record.config.Tty === true,
    logPath: record.hostConfig.LogConfig?.Type === 'none' ? undefined : context.paths.log(id),
    runtime: record.hostConfig.Runtime ?? context.settings.defaultRuntime,
    ...(ready === undefined ? {} : { ready: ready() }),
    ...(context.trace === undefined ? {} : { trace: (step: string, ms: number) => context.trace?.(id, step, ms) }),
  })
  // Before the record says `running`: if the daemon dies in between, the next boot removes the unstarted container.
  await afterwards?.(container.pid)
  trace('network and runtime create')
  const live = context.live.of(id)
  live.beginRun()
  undo.add(() => {
    live.endRun()
    live.execs.clear()
  })
  await connectPending(context, id)
  trace('attach')
  // Taken before the program runs: otherwise a program that ends at once would have an end before its start.
  const startedAt = formatNs(context.clock.nowNs())
  await container.start()
  trace('runtime start')
  await beginForwarding(context, record, logDriver)
  // What this forwarder does not deliver, the next run delivers.
  undo.add(() => live.forwarder?.abandon())
  const { endpoints = [] } = context.networks.sandboxes.find(id) ?? {}
  const joined = withChanges(withPresentLinks(context, record), {
    networks: joinedNetworks(record, endpoints),
    withoutBridge: isWithoutBridge(record, endpoints),
  })
  const running = withState(joined, {
    status: 'running',
    pid: container.pid,
    exitCode: 0,
    error: '',
    oomKilled: false,
    startedAt,
  })
  context.containers.save(running)
  await permitLinks(context, running)
  undo.add(() => endHealthChecks(context, id))
  beginHealthChecks(context, running)
  // The last step that may fail. The end is handled in a later turn at the earliest, so after the events below.
  watchExit(context, id, startLocked)
  publishUses(context, running, 'begin')
  publishContainer(context.events, running, 'start')
  watchOom(context, running)
  watchLogSize(context, running)
  trace('record')
}

/** The record with the links that are stored now. While a start runs, the removal of a linked container may change them
 *  without this container's lock. */
function withPresentLinks(context: Uses<'containers'>, record: ContainerRecord): ContainerRecord {
  const { links } = context.containers.get(record.id)
  return links === undefined ? record : withChanges(record, { links })
}

interface Preparation {
  readonly prepared: PreparedRun
  /** Makes the network. The runtime starts up meanwhile, and waits for the result. */
  readonly ready?: () => Promise<unknown>
  /** What to do with the created container, whose first process has this pid, before its program runs. */
  readonly afterwards?: (pid: number) => Promise<unknown>
}

/** Leases addresses and ports, and writes the files that are mounted into the container. */
function prepareRun(
  context: Uses<'containers' | 'networks' | 'paths' | 'settings' | 'labels' | 'remap'>,
  record: ContainerRecord,
  rootfs: string,
): Preparation {
  const { id, hostConfig } = record
  const mode = record.config.NetworkDisabled === true ? 'none' : (hostConfig.NetworkMode ?? 'default')
  const target = sharedNetworkTarget(mode)
  if (target !== undefined) {
    // Docker answers with status 500 here.
    if (context.containers.get(target).id === id) throw internal('cannot join own network namespace')
    const { namespace, ...files } = joinedNetwork(context, target)
    const network = { path: namespace }
    labelFiles(context, record, Object.values(files), true)
    return { prepared: { rootfs, network, files } }
  }
  const files = filesOf(context, id)
  if (mode === 'host') {
    writeNetworkFiles(context, record, undefined)
    labelFiles(context, record, Object.values(files), false)
    return { prepared: { rootfs, network: 'host', files } }
  }
  const endpoints = joinableMemberships(record, context.networks).map(endpointRequest)
  const request = { ...sandboxOwner(context, record), endpoints }
  const sandbox = reserve(context, request)
  writeNetworkFiles(context, record, sandbox)
  labelFiles(context, record, Object.values(files), false)
  if (remapOf(context, hostConfig) !== undefined) {
    giveToContainer(context, hostConfig, Object.values(files))
    // The runtime makes a network namespace that belongs to the container's user namespace, together with that one.
    const prepared = { rootfs, network: 'private' as const, files }
    const setUp = (pid: number) => context.networks.sandboxes.setUp({ ...request, namespace: `/proc/${pid}/ns/net` })
    return { prepared, afterwards: setUp }
  }
  return {
    prepared: { rootfs, network: { path: sandbox.netnsPath }, files },
    ready: () => context.networks.sandboxes.setUp(request),
  }
}

/** Leases addresses and ports. Reports a port that is taken in Docker's words. */
function reserve(context: Uses<'networks'>, request: SandboxRequest): Sandbox {
  try {
    return context.networks.sandboxes.reserve(request)
  } catch (cause) {
    if (!isBerthError(cause)) throw cause
    const message = `failed to set up container networking: ${cause.message}`
    throw new BerthError(cause.kind, message, { cause, details: cause.details })
  }
}

function filesOf(context: Uses<'paths'>, id: string): PreparedRun['files'] {
  const { paths } = context
  return { hosts: paths.hosts(id), hostname: paths.hostname(id), resolvConf: paths.resolvConf(id) }
}

async function recordFailure(context: ContainerContext, record: ContainerRecord, error: unknown): Promise<void> {
  // Like Docker, keep the exit code of the earlier run if the failure has none of its own.
  const exitCode = exitCodeOf(error) ?? (record.state.exitCode || 128)
  const status = record.state.startedAt === zeroTime ? 'created' : 'exited'
  const failed = withState(record, { status, pid: 0, exitCode, error: messageOf(error) })
  const live = context.live.of(record.id)
  for (const attach of live.pendingAttaches) attach.begin(Promise.resolve())
  live.pendingAttaches.clear()
  const before = context.containers.find(record.id)
  if (before === undefined) return
  context.containers.save(withPresentLinks(context, failed))
  if (record.hostConfig.AutoRemove === true) {
    await removeRecord(context, failed, { volumes: true })
    return
  }
  // A container that waited for a restart has now stopped for good. The next exit that clients wait for is one of a
  // recorded run.
  if (isUp(before.state.status)) live.tellExit({ exitCode, error: messageOf(error) }, true)
  else live.tellStop({ exitCode, error: messageOf(error) })
}

function stepTrace(context: Uses<'trace'>, id: string): (step: string) => void {
  const { trace } = context
  if (trace === undefined) return () => {}
  let last = performance.now()
  return (step) => {
    const now = performance.now()
    trace(id, step, now - last)
    last = now
  }
}
