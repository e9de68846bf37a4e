import type { DaemonConfig } from '../config/index.ts'
import type { ContainerSettings } from '../containers/index.ts'

/** The part of the configuration that containers depend on. */
export function containerSettings(config: DaemonConfig): ContainerSettings {
  const { containers, network } = config
  return {
    defaultRuntime: containers.defaultRuntime,
    runtimes: new Set(Object.keys(containers.runtimes)),
    ulimits: containers.ulimits,
    shmSizeBytes: containers.shmSizeBytes,
    cdiSpecDirs: containers.cdiSpecDirs,
    init: containers.init,
    noNewPrivileges: containers.noNewPrivileges,
    logDriver: containers.logDriver,
    logOptions: containers.logOptions,
    dns: network.dns,
    dnsOptions: network.dnsOptions,
    dnsSearch: network.dnsSearch,
    cgroupParent: config.instance === '' ? '/berth' : `/berth-${config.instance}`,
  }
}
