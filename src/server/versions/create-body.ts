/** Converts create requests of older API versions to the newest one. */
import { compareApiVersions, type HostConfig, type Mount, type NetworkingConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { CreateBody } from '../requests/create-body.ts'

/** The request in the form of the newest version. Defaults that differ between the versions are made explicit. */
export function upgradeCreateBody(body: CreateBody, apiVersion: string): CreateBody {
  const isBelow = (version: string) => compareApiVersions(apiVersion, version) < 0
  const { config, networkingConfig } = body
  const hostConfig = upgradeHostConfig(body.hostConfig, isBelow)
  const mac = macAddress(body, isBelow('1.44'))
  const { MacAddress: _given, ...others } = config
  const upgraded = mac === undefined ? others : { ...others, MacAddress: mac }
  const { Healthcheck } = upgraded
  const { StartInterval: _later, ...before } = Healthcheck ?? {}
  const health = Healthcheck && isBelow('1.44') ? { Healthcheck: before } : {}
  return {
    config: { ...upgraded, ...health },
    hostConfig,
    networkingConfig: isBelow('1.44') ? withoutMacs(networkingConfig) : networkingConfig,
  }
}

function upgradeHostConfig(hostConfig: HostConfig, isBelow: (version: string) => boolean): HostConfig {
  const changes: { -readonly [K in keyof HostConfig]?: HostConfig[K] } = {}
  // Below 1.25 the client itself removes the container.
  if (isBelow('1.25')) changes.AutoRemove = false
  if (isBelow('1.40')) {
    changes.KernelMemoryTCP = 0
    if (!hostConfig.IpcMode) changes.IpcMode = 'shareable'
    if (hostConfig.Mounts) changes.Mounts = hostConfig.Mounts.map(withoutNonRecursive)
  }
  if (isBelow('1.41') && !hostConfig.CgroupnsMode) changes.CgroupnsMode = 'host'
  // 0 and -1 both mean no limit. Only an absent value means the daemon's default.
  if (hostConfig.PidsLimit !== undefined && hostConfig.PidsLimit !== null && hostConfig.PidsLimit <= 0) {
    changes.PidsLimit = null
  }
  if (isBelow('1.42')) return { ...hostConfig, ...changes }
  // API 1.42 removed this limit. It is ignored in requests of newer clients.
  const { KernelMemory, ...known } = hostConfig
  return { ...known, ...changes }
}

function withoutNonRecursive(mount: Mount): Mount {
  return mount.BindOptions ? { ...mount, BindOptions: { ...mount.BindOptions, NonRecursive: false } } : mount
}

/** Warnings about deprecated members of a create request, which the answer has beside the engine's own warnings. */
export function deprecationWarnings({ config }: CreateBody, apiVersion: string): readonly string[] {
  if (!config.MacAddress || compareApiVersions(apiVersion, '1.44') < 0) return []
  return ['The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.']
}

/** Puts the MAC address into Config, where the engine expects it. API 1.44 moved the address to the endpoint of the main
 *  network; before, endpoints had none. */
function macAddress({ config, hostConfig, networkingConfig }: CreateBody, isOld: boolean): string | undefined {
  const ofConfig = config.MacAddress || undefined
  if (isOld) return ofConfig
  // Since 1.44 the address has no effect if the container has no network device of its own.
  if (/^(none|host|container:.*)$/.test(hostConfig.NetworkMode ?? '')) return undefined
  const ofEndpoint = mainEndpointMac(hostConfig.NetworkMode || 'default', networkingConfig)
  if (ofEndpoint !== undefined && ofConfig !== undefined && ofEndpoint !== ofConfig) {
    throw invalidArgument(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    )
  }
  return ofEndpoint ?? ofConfig
}

function mainEndpointMac(mode: string, { EndpointsConfig }: NetworkingConfig): string | undefined {
  const names = mode === 'default' || mode === 'bridge' ? ['default', 'bridge'] : [mode]
  return names.map((name) => EndpointsConfig?.[name]?.MacAddress).find(Boolean) || undefined
}

function withoutMacs(networking: NetworkingConfig): NetworkingConfig {
  const endpoints = Object.entries(networking.EndpointsConfig ?? {})
  const bare = endpoints.map(([name, settings]) => [name, settings && { ...settings, MacAddress: '' }])
  return { ...networking, EndpointsConfig: Object.fromEntries(bare) }
}
