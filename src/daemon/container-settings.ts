import { posix } from 'node:path'
import { BerthError, invalidArgument, isBerthError } from '../base/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import type { ContainerSettings } from '../containers/index.ts'
import { checkLogConfig } from '../logs/index.ts'
import { hasProjectQuotas, isSliceName, isSystemdBooted } from '../sys/index.ts'

/** The part of the configuration that containers depend on. Throws `invalidArgument` for a log driver or its options. */
export function containerSettings(config: DaemonConfig): ContainerSettings {
  const { containers, network } = config
  checkLogDefaults(config)
  return {
    defaultRuntime: containers.defaultRuntime,
    runtimes: new Set(Object.keys(containers.runtimes)),
    ulimits: containers.ulimits,
    shmSizeBytes: containers.shmSizeBytes,
    layerSizeBytes: containers.layerSizeBytes,
    cdiSpecDirs: containers.cdiSpecDirs,
    init: containers.init,
    initPath: containers.initPath,
    cgroupnsMode: containers.cgroupnsMode,
    ipcMode: containers.ipcMode,
    noNewPrivileges: containers.noNewPrivileges,
    logDriver: containers.logDriver,
    logOptions: containers.logOptions,
    journaldSocket: containers.journaldSocket,
    dns: network.dns,
    dnsOptions: network.dnsOptions,
    dnsSearch: network.dnsSearch,
    hostGatewayIps: network.hostGatewayIps,
    seccompProfile: containers.seccompProfile,
    slice: checkedSlice(containers.slice),
    cgroupParent: posix.join(containers.cgroupParent, config.instance === '' ? 'berth' : `berth-${config.instance}`),
  }
}

/** Throws `invalidArgument` when writable layers are to have a size to which the data root's file system can't hold. */
export function refuseLayerSize({ containers, dataRoot }: DaemonConfig): void {
  if (containers.layerSizeBytes === undefined || hasProjectQuotas(dataRoot)) return
  throw invalidArgument(
    `storage-opts: overlay2.size: the file system of ${dataRoot} has no quotas of projects (mount option prjquota)`,
  )
}

function checkedSlice(slice: string | undefined): string | undefined {
  if (slice === undefined) return undefined
  if (!isSystemdBooted()) {
    throw invalidArgument('exec-opts: native.cgroupdriver=systemd: systemd is not the service manager of this host')
  }
  if (!isSliceName(slice)) throw invalidArgument(`cgroup-parent: ${slice} is not the name of a slice`)
  return slice
}

function checkLogDefaults({ containers }: DaemonConfig): void {
  try {
    checkLogConfig({ Type: containers.logDriver, Config: containers.logOptions })
  } catch (cause) {
    if (!isBerthError(cause)) throw cause
    throw new BerthError('invalidArgument', `failed to set log opts: ${cause.message}`, { cause })
  }
}
