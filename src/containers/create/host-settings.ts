/** HostConfig as a record stores it: the request, completed by the daemon's defaults. Other containers are stored by
 *  id. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument, isKind } from '../../base/index.ts'
import { checkLogConfig } from '../../logs/index.ts'
import { defaultMaskedPaths, defaultReadonlyPaths, isShimName } from '../../runtime/index.ts'
import { impliedOptions } from '../isolation/selinux.ts'
import type { Uses } from '../record/dependencies.ts'

/** Fills in the defaults that inspect shows. Throws `invalidArgument` for a runtime that the daemon does not have. */
export function completeHostConfig(
  context: Uses<'containers' | 'settings' | 'specHost' | 'labels'>,
  given: HostConfig,
): HostConfig {
  const { settings } = context
  const runtime = given.Runtime || settings.defaultRuntime
  // A containerd shim can't be started either but, as with Docker, the start reports that.
  if (!settings.runtimes.has(runtime) && !isShimName(runtime)) {
    throw invalidArgument(`unknown or invalid runtime name: ${runtime}`)
  }
  const modes = namespaceModes(context, given)
  return {
    ...given,
    ...modes,
    ...systemPaths(given),
    ...securityOptions(context, { ...given, ...modes }),
    LogConfig: logConfig(context, given),
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    Runtime: runtime,
    ShmSize: given.ShmSize || settings.shmSizeBytes,
    CgroupnsMode:
      given.CgroupnsMode || settings.cgroupnsMode || (context.specHost.cgroupVersion === 2 ? 'private' : 'host'),
    MemorySwap: given.MemorySwap || (given.Memory ? given.Memory * 2 : 0),
    // The CLI sends -1 for "not set".
    MemorySwappiness: given.MemorySwappiness === -1 ? null : (given.MemorySwappiness ?? null),
  }
}

/** The user's security options, and those that other settings imply. */
function securityOptions(context: Uses<'containers' | 'labels'>, given: HostConfig): Pick<HostConfig, 'SecurityOpt'> {
  const implied = impliedOptions(context, given)
  return implied.length === 0 ? {} : { SecurityOpt: [...(given.SecurityOpt ?? []), ...implied] }
}

function logConfig({ settings }: Uses<'settings'>, given: HostConfig): NonNullable<HostConfig['LogConfig']> {
  const driver = given.LogConfig?.Type || settings.logDriver
  // The daemon's log options belong to its default driver only.
  const options = driver === settings.logDriver ? settings.logOptions : {}
  const config = { Type: driver, Config: { ...options, ...given.LogConfig?.Config } }
  checkLogConfig(config)
  return config
}

/** Modes that name another container store its id, so that a rename changes nothing. */
function namespaceModes(
  context: Uses<'containers' | 'settings'>,
  { NetworkMode: network, IpcMode: ipc, PidMode: pid }: HostConfig,
): Pick<HostConfig, 'NetworkMode' | 'IpcMode' | 'PidMode'> {
  const mode = network && network !== 'default' ? network : 'bridge'
  if (ipc && !/^(private|shareable|host|none|container:.+)$/.test(ipc))
    throw invalidArgument(`Invalid IPC mode: ${ipc}`)
  return {
    // As with Docker, an unknown network or container fails the start. If create failed, clients would take the 404 for
    // a missing image.
    NetworkMode: withId(context, mode, (text) => text),
    IpcMode: withId(context, ipc || context.settings.ipcMode, noSuchContainer),
    PidMode: withId(context, pid ?? '', noSuchContainer),
  }
}

function withId(context: Uses<'containers'>, mode: string, missing: (mode: string) => string): string {
  const target = targetOf(mode)
  if (target === undefined) return mode
  try {
    return `container:${context.containers.get(target).id}`
  } catch (error) {
    if (isKind(error, 'notFound')) return missing(mode)
    throw error
  }
}

function noSuchContainer(mode: string): never {
  throw invalidArgument(`No such container: ${targetOf(mode)}`)
}

function targetOf(mode: string): string | undefined {
  return mode.startsWith('container:') && mode !== 'container:' ? mode.slice('container:'.length) : undefined
}

function systemPaths(given: HostConfig): Pick<HostConfig, 'MaskedPaths' | 'ReadonlyPaths'> {
  if (given.Privileged === true) return { MaskedPaths: null, ReadonlyPaths: null }
  if (given.SecurityOpt?.includes('systempaths=unconfined') === true) return { MaskedPaths: [], ReadonlyPaths: [] }
  return {
    MaskedPaths: given.MaskedPaths ?? defaultMaskedPaths,
    ReadonlyPaths: given.ReadonlyPaths ?? defaultReadonlyPaths,
  }
}
