/** What `GET /info` answers. */
import { readdirSync } from 'node:fs'
import { inactiveSwarm, type SystemInfo } from '../api/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import type { ContainerContext } from '../containers/index.ts'
import type { Images } from '../images/index.ts'
import { logDriverNames } from '../logs/index.ts'
import { cgroupFeatures, detectCgroups, fileSystemName, hostInfo, kernelFeatures } from '../sys/index.ts'

/** What the answer is made of. */
export interface SystemInfoParts {
  /** The configuration in force. */
  readonly config: DaemonConfig
  /** Berth's own version. */
  readonly version: string
  readonly context: ContainerContext
  readonly images: Images
  /** Identifies this installation; the same after a restart. */
  readonly engineId: string
  /** Warnings about TCP sockets that accept clients without certificates. */
  readonly exposureWarnings: () => readonly string[]
  /** What users of the engine cannot do with networks, and the kernel's reason. */
  readonly missingFeatures: () => readonly { readonly feature: string; readonly reason: string }[]
}

/** Facts about the host and the engine, all of them read anew. `volumePlugins` are names of drivers. */
export function systemInfo(
  { config, version, context, images, engineId, exposureWarnings, missingFeatures }: SystemInfoParts,
  volumePlugins: readonly string[],
): SystemInfo {
  const host = hostInfo()
  const kernel = kernelFeatures()
  const limits = cgroupFeatures()
  return {
    ID: engineId,
    ...containerCounts(context),
    Images: [...images.store.records()].length,
    Driver: 'overlay2',
    DriverStatus: [
      ['Backing Filesystem', fileSystemName(config.dataRoot)],
      ['Supports d_type', 'true'],
      ['Native Overlay Diff', 'true'],
      ['userxattr', 'false'],
    ],
    Plugins: {
      Volume: ['local', ...volumePlugins],
      Network: ['bridge', 'host', 'ipvlan', 'macvlan', 'null'],
      Authorization: null,
      Log: logDriverNames,
    },
    MemoryLimit: limits.memory,
    SwapLimit: limits.swap,
    KernelMemoryTCP: limits.kernelMemoryTcp,
    CpuCfsPeriod: limits.cpuCfsQuota,
    CpuCfsQuota: limits.cpuCfsQuota,
    CPUShares: limits.cpuShares,
    CPUSet: limits.cpuset,
    PidsLimit: limits.pids,
    IPv4Forwarding: kernel.ipv4Forwarding,
    FirewallBackend: { Driver: 'nftables' },
    ...(config.network.pools.length === 0
      ? {}
      : { DefaultAddressPools: config.network.pools.map(({ base, size }) => ({ Base: base, Size: size })) }),
    Debug: config.logLevel === 'debug',
    NFd: readdirSync('/proc/self/fd').length,
    OomKillDisable: limits.oomKillDisable,
    NGoroutines: readdirSync('/proc/self/task').length,
    SystemTime: new Date().toISOString(),
    LoggingDriver: config.containers.logDriver,
    CgroupDriver: config.containers.slice === undefined ? 'cgroupfs' : 'systemd',
    CgroupVersion: detectCgroups().version === 2 ? '2' : '1',
    NEventsListener: context.events.streamCount,
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.operatingSystemVersion,
    OSType: 'linux',
    Architecture: host.machine,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(config),
    NCPU: host.cpus,
    MemTotal: host.memoryBytes,
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    HttpProxy: maskCredentials(config.registries.proxies.httpProxy),
    HttpsProxy: maskCredentials(config.registries.proxies.httpsProxy),
    NoProxy: config.registries.proxies.noProxy ?? '',
    Name: host.hostname,
    Labels: config.labels,
    ExperimentalBuild: config.experimental,
    ServerVersion: version,
    Runtimes: runtimesOf(config),
    DefaultRuntime: config.containers.defaultRuntime,
    Swarm: inactiveSwarm,
    LiveRestoreEnabled: config.liveRestore,
    Isolation: '',
    InitBinary: config.containers.initPath ?? 'tini',
    ContainerdCommit: { ID: '' },
    RuncCommit: { ID: '' },
    InitCommit: { ID: '' },
    SecurityOptions: securityOptions(config, context),
    CDISpecDirs: config.containers.cdiSpecDirs,
    Warnings: [
      ...exposureWarnings(),
      ...warnings(kernel.ipv4Forwarding, limits),
      ...missingFeatures().map(({ feature, reason }) => `WARNING: No ${feature} (${reason})`),
    ],
  }
}

function runtimesOf({ containers }: DaemonConfig): SystemInfo['Runtimes'] {
  return Object.fromEntries(
    Object.entries(containers.runtimes).map(([name, { path, args }]) => [
      name,
      { path, ...(args.length === 0 ? {} : { runtimeArgs: args }) },
    ]),
  )
}

function securityOptions({ containers }: DaemonConfig, { remap, appArmor, labels }: ContainerContext): string[] {
  const { seccompProfile: profile } = containers
  const seccomp = profile === 'builtin' || profile === 'unconfined' ? profile : 'custom'
  return [
    ...(appArmor === undefined ? [] : ['name=apparmor']),
    ...(kernelFeatures().seccomp ? [`name=seccomp,profile=${seccomp}`] : []),
    ...(labels === undefined ? [] : ['name=selinux']),
    ...(remap === undefined ? [] : ['name=userns']),
    ...(containers.noNewPrivileges ? ['name=no-new-privileges'] : []),
    ...(detectCgroups().version === 2 ? ['name=cgroupns'] : []),
  ]
}

/** As Docker shows them. */
function maskCredentials(proxy = ''): string {
  return proxy.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i, '$1xxxxx:xxxxx@')
}

function containerCounts(
  context: ContainerContext,
): Pick<SystemInfo, 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped'> {
  const records = context.containers.all()
  const running = records.filter(({ state }) => state.status === 'running' || state.status === 'restarting').length
  const paused = records.filter(({ state }) => state.status === 'paused').length
  return {
    Containers: records.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: records.length - running - paused,
  }
}

function registryConfig({ registries }: DaemonConfig): SystemInfo['RegistryConfig'] {
  return {
    IndexConfigs: {
      'docker.io': { Mirrors: registries.mirrors, Name: 'docker.io', Official: true, Secure: true },
      ...Object.fromEntries(
        registries.insecure
          .filter((entry) => !entry.includes('/'))
          .map((name) => [name, { Mirrors: [], Name: name, Official: false, Secure: false }]),
      ),
    },
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...registries.insecure.filter((entry) => entry.includes('/'))],
    Mirrors: registries.mirrors,
  }
}

function warnings(forwarding: boolean, limits: ReturnType<typeof cgroupFeatures>): string[] {
  return [
    ...(limits.memory ? [] : ['WARNING: No memory limit support']),
    ...(limits.swap ? [] : ['WARNING: No swap limit support']),
    ...(limits.pids ? [] : ['WARNING: No pids limit support']),
    ...(forwarding ? [] : ['WARNING: IPv4 forwarding is disabled']),
  ]
}
