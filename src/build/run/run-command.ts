/** Runs the process of a RUN with the same runtime and isolation as a container, but without a container record. Its
 *  files are named by its id, so that the next boot finds and removes them after a crash. */
import { chownSync, writeFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BerthError, cleanUpAfter, invalidArgument, type OutputStream, shortId, type Undo } from '../../base/index.ts'
import {
  formatHosts,
  formatResolvConf,
  parseResolvConf,
  readHostResolvConf,
  type Sandbox,
  type SandboxRequest,
  type UpstreamServer,
} from '../../network/index.ts'
import {
  type AttachHandle,
  type BindMount,
  buildSpec,
  cgroupBelow,
  defaultAppArmorProfile,
  type NamespaceMode,
  resolveUser,
  type SpecInput,
  type TmpfsMount,
} from '../../runtime/index.ts'
import { expectCgroupMove, makePrivateDirectory, relabelTree } from '../../sys/index.ts'
import type { StepRoot } from '../layer/make-layer.ts'
import type { BuildParts } from '../model/build-parts.ts'
import type { RunOptions } from './run-options.ts'
import { readUserFiles } from './user-files.ts'

/** The process to run. */
export interface RunCommand {
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly user: string
  readonly network: 'default' | 'none' | 'host'
  readonly insecure: boolean
  readonly binds: readonly BindMount[]
  readonly tmpfs: readonly TmpfsMount[]
  /** Qualified names of CDI devices. */
  readonly devices: readonly string[]
}

/** Receives the output of the process. */
export type OnOutput = (stream: OutputStream, chunk: Buffer) => void

const sigkill = 9
const outOfMemoryCode = 137

/** Runs the process to its end and gives the exit code. Throws typed errors when it can't be started, `cancelled` on
 *  abort. */
export async function runCommand(
  parts: BuildParts,
  root: Pick<StepRoot, 'id' | 'rootfs' | 'labels'>,
  command: RunCommand,
  options: RunOptions,
  { onOutput, signal }: { readonly onOutput: OnOutput; readonly signal: AbortSignal },
): Promise<{ readonly exitCode: number; readonly oomKilled: boolean }> {
  signal.throwIfAborted()
  expectCgroupMove()
  return await cleanUpAfter(parts.logger, async (cleanUp) => {
    const attached = await createProcess(parts, root, command, options, { onOutput, cleanUp })
    return await runToEnd(parts, root.id, attached, signal)
  })
}

/** Creates the process, ready to start its program, with its output attached. */
async function createProcess(
  parts: BuildParts,
  root: Pick<StepRoot, 'id' | 'rootfs' | 'labels'>,
  command: RunCommand,
  options: RunOptions,
  { onOutput, cleanUp }: { readonly onOutput: OnOutput; readonly cleanUp: Undo },
): Promise<AttachHandle> {
  const { runtime } = parts
  const { id } = root
  const files = join(parts.directory, 'tmp', id)
  makePrivateDirectory(files, parts.settings.remap?.root.gid)
  cleanUp.add(() => parts.trash.discard(files))
  checkUsers(parts, command, options)
  if (!command.insecure) await parts.appArmor?.require(defaultAppArmorProfile)
  const network = await prepareNetwork(parts, id, command, options, files)
  cleanUp.add(() => parts.networks.sandboxes.release(id))
  if (root.labels !== undefined) await relabelTree(files, root.labels.mount)
  cleanUp.add(() => runtime.delete(id, { force: true }))
  const plain = buildSpec(specInput(parts, root, command, options, { files, netns: network.netns }), parts.specHost)
  const spec =
    command.devices.length === 0 ? plain : { ...plain, spec: await parts.devices.give(plain.spec, command.devices) }
  const container = await runtime.create({
    id,
    spec,
    stdin: false,
    logPath: undefined,
    runtime: parts.settings.defaultRuntime,
    ...(network.ready === undefined ? {} : { ready: network.ready() }),
  })
  await network.afterwards?.(container.pid)
  return await container.attach({
    stdin: false,
    stdout: true,
    stderr: true,
    sink: {
      write(stream, chunk) {
        onOutput(stream, chunk)
        return true
      },
      onDrain() {},
      onClose() {},
      end() {},
    },
  })
}

async function runToEnd(
  { runtime }: BuildParts,
  id: string,
  attached: AttachHandle,
  signal: AbortSignal,
): Promise<{ readonly exitCode: number; readonly oomKilled: boolean }> {
  const container = runtime.get(id)
  const stop = () => {
    try {
      container.kill(sigkill)
    } catch {
      // The process has exited by itself.
    }
  }
  signal.addEventListener('abort', stop, { once: true })
  try {
    await container.start()
    if (signal.aborted) stop()
    const exit = await container.waitExit()
    await attached.closed
    if (signal.aborted) throw new BerthError('cancelled', 'context canceled')
    return {
      exitCode: exit.oomKilled && exit.exitCode === 0 ? outOfMemoryCode : exit.exitCode,
      oomKilled: exit.oomKilled,
    }
  } finally {
    signal.removeEventListener('abort', stop)
    attached.close()
  }
}

interface PreparedNetwork {
  readonly netns: NamespaceMode
  readonly ready?: () => Promise<unknown>
  /** With a user mapping, the runtime creates the network namespace along with the user namespace. Then this connects
   *  it to the network. */
  readonly afterwards?: (pid: number) => Promise<unknown>
}

async function prepareNetwork(
  parts: BuildParts,
  id: string,
  command: RunCommand,
  options: RunOptions,
  files: string,
): Promise<PreparedNetwork> {
  const mode = command.network === 'default' ? options.network : command.network
  if (mode === 'host') {
    writeNetworkFiles(parts, options, files, undefined)
    return { netns: 'host' }
  }
  if (mode.startsWith('container:')) return await joinNetwork(parts, mode.slice('container:'.length), files)
  // Like a container without `--network`: when there is no default bridge (`bridge: none`), it has no network.
  const hasBridge = parts.networks.find('bridge') !== undefined
  const request: SandboxRequest = {
    containerId: id,
    name: `build-${shortId(id)}`,
    hostname: options.hostname,
    endpoints: mode === 'default' && !hasBridge ? [] : [{ network: mode === 'default' ? 'bridge' : mode }],
    ports: [],
    upstream: () => nameServers(parts),
  }
  const sandbox = parts.networks.sandboxes.reserve(request)
  writeNetworkFiles(parts, options, files, sandbox)
  if (parts.settings.remap !== undefined) {
    const setUp = (pid: number) => parts.networks.sandboxes.setUp({ ...request, namespace: `/proc/${pid}/ns/net` })
    return { netns: 'private', afterwards: setUp }
  }
  return { netns: { path: sandbox.netnsPath }, ready: () => parts.networks.sandboxes.setUp(request) }
}

/** Joins the network of a running container. Its network files are copied because the step may write to them; they can
 *  be large, because the container can write to them too. */
async function joinNetwork(parts: BuildParts, container: string, files: string): Promise<PreparedNetwork> {
  const joined = parts.joinNetwork(container)
  await copyFile(joined.hosts, join(files, 'hosts'))
  await copyFile(joined.hostname, join(files, 'hostname'))
  await copyFile(joined.resolvConf, join(files, 'resolv.conf'))
  return { netns: { path: joined.namespace } }
}

/** Refuses what a process with a user mapping can't have. */
function checkUsers({ settings }: BuildParts, { insecure, network }: RunCommand, options: RunOptions): void {
  if (settings.remap === undefined) return
  if (insecure) throw invalidArgument('RUN --security=insecure is incompatible with user namespaces')
  const mode = network === 'default' ? options.network : network
  if (mode.startsWith('container:'))
    throw invalidArgument("cannot join a container's network when user namespaces are enabled")
  if (mode === 'host')
    throw invalidArgument("cannot share the host's network namespace when user namespaces are enabled")
}

/** The DNS servers for names outside the network, on networks with name resolution. */
function nameServers({ settings }: BuildParts): readonly UpstreamServer[] {
  if (settings.dns.length > 0) return settings.dns.map((address) => ({ address, from: 'container' }))
  return parseResolvConf(readHostResolvConf()).servers.map((address) => ({ address, from: 'host' }))
}

/** Writes the network files. Without a sandbox they are those of the host's network. */
function writeNetworkFiles(
  parts: BuildParts,
  { extraHosts, hostname }: RunOptions,
  files: string,
  sandbox: Sandbox | undefined,
): void {
  const { settings } = parts
  const endpoints = sandbox?.endpoints ?? []
  const addresses = endpoints.flatMap(({ ipv4, ipv6 }) => [ipv4, ipv6]).filter((address) => address !== '')
  const gateways = endpoints.flatMap(({ gateway }) => (gateway === '' ? [] : [gateway])).slice(0, 1)
  const hasNames = endpoints.some(({ dnsNames }) => dnsNames.length > 0)
  const { remap } = settings
  writeFileSync(join(files, 'hostname'), `${hostname}\n`)
  writeFileSync(join(files, 'hosts'), formatHosts({ hostname, addresses, extraHosts, gateways }))
  writeFileSync(
    join(files, 'resolv.conf'),
    formatResolvConf({
      host: readHostResolvConf(),
      hostNetwork: sandbox === undefined,
      ...(hasNames ? { embedded: nameServers(parts).map(({ address }) => address) } : {}),
      servers: settings.dns,
      search: settings.dnsSearch,
      options: settings.dnsOptions,
    }),
  )
  if (remap === undefined) return
  for (const name of ['hostname', 'hosts', 'resolv.conf']) chownSync(join(files, name), remap.root.uid, remap.root.gid)
}

function specInput(
  { settings, appArmor }: BuildParts,
  { id, rootfs, labels }: Pick<StepRoot, 'id' | 'rootfs' | 'labels'>,
  command: RunCommand,
  options: RunOptions,
  { files, netns }: { readonly files: string; readonly netns: NamespaceMode },
): SpecInput {
  const user = resolveUser(command.user, readUserFiles(rootfs))
  const hasHome = command.env.some((line) => line.startsWith('HOME='))
  const shown = (name: string) => ({ source: join(files, name), destination: `/etc/${name}`, readonly: false })
  return {
    process: {
      args: command.args,
      env: hasHome ? command.env : [...command.env, `HOME=${user.home || '/'}`],
      cwd: command.cwd,
      user,
      terminal: false,
      rlimits: options.rlimits.length === 0 ? settings.rlimits : options.rlimits,
    },
    files: {
      rootfs,
      readonlyRootfs: false,
      binds: [shown('hosts'), shown('hostname'), shown('resolv.conf'), ...command.binds],
      tmpfs: command.tmpfs,
      shmSizeBytes: options.shmSizeBytes ?? settings.shmSizeBytes,
    },
    namespaces: {
      network: netns,
      pid: 'private',
      ipc: 'private',
      uts: 'private',
      hostname: options.hostname,
      ...(settings.remap === undefined ? {} : { users: { mappings: settings.remap.mappings } }),
    },
    security: {
      privileged: command.insecure,
      capabilities: { add: [], drop: [] },
      seccomp: 'default',
      ...(appArmor === undefined || command.insecure ? {} : { appArmorProfile: defaultAppArmorProfile }),
      ...(labels === undefined ? {} : { labels }),
      noNewPrivileges: settings.noNewPrivileges,
    },
    resources: { limits: options.limits, cgroupsPath: cgroupBelow(settings, options.cgroupParent, id) },
  }
}
