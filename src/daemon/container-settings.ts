import { posix } from 'node:path'
import { BerthError, invalidArgument, isBerthError } from '../base/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import type { ContainerSettings } from '../containers/index.ts'
import { checkLogConfig } from '../logs/index.ts'
import { hasProjectQuotas, isSliceName, isSystemdBooted } from '../sys/index.ts'

/** The part of the configuration that containers depend on. Throws `invalidArgument` for an unknown log driver or wrong
 *  options of it. */
export function containerSettings(config: DaemonConfig): ContainerSettings {
  const { runtimes, slice, cgroupParent, ...defaults } = config.containers
  const { dns, dnsOptions, dnsSearch, hostGatewayIps } = config.network
  checkLogDefaults(config)
  return {
    ...defaults,
    dns,
    dnsOptions,
    dnsSearch,
    hostGatewayIps,
    runtimes: new Set(Object.keys(runtimes)),
    slice: checkedSlice(slice),
    cgroupParent: posix.join(cgroupParent, config.instance === '' ? 'berth' : `berth-${config.instance}`),
  }
}

/** Throws `invalidArgument` if the configuration limits the size of writable layers and the data root's file system does
 *  not support such limits. */
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
