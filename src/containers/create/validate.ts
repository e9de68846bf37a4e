/** Checks a create request against itself and against the size of the host. Pure. Messages are Docker's where Docker
 *  has one. */

import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import type { ContainerConfig, HostConfig } from '../../api/index.ts'
import { errnoOf, invalidArgument } from '../../base/index.ts'
import { parseSignal } from '../../sys/index.ts'
import type { HostFacts } from '../record/dependencies.ts'
import { validateHealthcheck } from '../record/health.ts'
import { portRequests } from '../record/port-requests.ts'
import { validateLimits } from './validate-limits.ts'

const minimumMemoryBytes = 6 * 1024 * 1024

/** Throws `invalidArgument` for the first fault in the request. `config` is completed from the image; `request` is what
 *  the client sent. */
export function validateRequest(
  config: ContainerConfig,
  hostConfig: HostConfig,
  host: HostFacts,
  request: ContainerConfig,
): void {
  validateProcess(config)
  validateHealthcheck(config.Healthcheck)
  validateResources(hostConfig, host)
  validateRestart(hostConfig)
  validateNetworkMode(request, hostConfig)
  validateNetwork(config, hostConfig)
  validateSecurity(hostConfig, host)
}

/** The same check for an update. */
export function validateUpdate(hostConfig: HostConfig, host: HostFacts): void {
  const swap = hostConfig.MemorySwap ?? 0
  // The memory limit may be one that the container already has.
  validateResources(hostConfig.Memory ? hostConfig : { ...hostConfig, MemorySwap: Math.min(0, swap) }, host)
  validateRestart(hostConfig)
}

function validateProcess(config: ContainerConfig): void {
  if (config.WorkingDir && !config.WorkingDir.startsWith('/')) {
    throw invalidArgument(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`)
  }
  for (const entry of config.Env ?? []) {
    if (entry === '' || entry.startsWith('=')) throw invalidArgument(`invalid environment variable: ${entry}`)
    if (entry.includes('\0')) throw invalidArgument('invalid environment variable: contains a NUL byte')
  }
  if (config.StopSignal) parseSignal(config.StopSignal)
  // sethostname(2) takes up to 64 bytes. A space or line feed would change the meaning of /etc/hosts.
  if (config.Hostname && !/^[^\s\p{Cc}]{1,64}$/u.test(config.Hostname)) {
    throw invalidArgument(`invalid hostname: ${config.Hostname}`)
  }
}

/** Checks only the resource limits in `hostConfig` (memory, CPUs, shared memory, OOM score, ulimits and so on), against
 *  each other and against the host. Throws `invalidArgument` for the first fault, in Docker's words. */
export function validateResources(hostConfig: HostConfig, host: HostFacts): void {
  validateMemory(hostConfig.Memory ?? 0, hostConfig.MemorySwap ?? 0, hostConfig.MemoryReservation ?? 0)
  const nanoCpus = hostConfig.NanoCpus ?? 0
  if (nanoCpus < 0 || nanoCpus > host.cpus * 1e9) {
    throw invalidArgument(
      `range of CPUs is from 0.01 to ${host.cpus}.00, as there are only ${host.cpus} CPUs available`,
    )
  }
  validateCpu(hostConfig, host)
  if ((hostConfig.ShmSize ?? 0) < 0) throw invalidArgument('SHM size can not be less than 0')
  if (Math.abs(hostConfig.OomScoreAdj ?? 0) > 1000) {
    throw invalidArgument(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`)
  }
  validateLimits(hostConfig)
}

function validateCpu(hostConfig: HostConfig, host: HostFacts): void {
  const { NanoCpus: nano, CpuPeriod: period, CpuQuota: quota, MemorySwappiness: swappiness } = hostConfig
  if (nano && period) throw invalidArgument('Conflicting options: Nano CPUs and CPU Period cannot both be set')
  if (nano && quota) throw invalidArgument('Conflicting options: Nano CPUs and CPU Quota cannot both be set')
  if (period && (period < 1000 || period > 1_000_000)) {
    throw invalidArgument('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)')
  }
  if (quota && quota > 0 && quota < 1000) throw invalidArgument('CPU cfs quota can not be less than 1ms (i.e. 1000)')
  validateCpuset(hostConfig, host)
  if (typeof swappiness === 'number' && (swappiness < -1 || swappiness > 100)) {
    throw invalidArgument(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`)
  }
  const { BlkioWeight: weight } = hostConfig
  if (weight && (weight < 10 || weight > 1000)) throw invalidArgument('Range of blkio weight is from 10 to 1000')
}

function validateCpuset({ CpusetCpus: cpus, CpusetMems: mems }: HostConfig, host: HostFacts): void {
  for (const [what, text] of [
    ['cpuset cpus', cpus],
    ['cpuset mems', mems],
  ] as const) {
    if (text && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(text)) throw invalidArgument(`Invalid value ${text} for ${what}`)
  }
  const nodes = memoryNodes()
  if (numbersOf(mems).some((node) => node > nodes)) {
    const available = nodes === 0 ? '0' : `0-${nodes}`
    throw invalidArgument(`Requested memory nodes are not available - requested ${mems}, available: ${available}`)
  }
  if (numbersOf(cpus).some((cpu) => cpu >= host.cpus)) {
    throw invalidArgument(`Requested CPUs are not available - requested ${cpus}, available: 0-${host.cpus - 1}`)
  }
}

function numbersOf(text: string | null | undefined): number[] {
  return (text ?? '')
    .split(/[,-]/)
    .filter((part) => part !== '')
    .map(Number)
}

/** The highest number of the host's memory nodes. */
function memoryNodes(): number {
  try {
    const [last = '0'] = readFileSync('/sys/devices/system/node/online', 'utf8').trim().split(/[,-]/).reverse()
    return Number(last)
  } catch (error) {
    // A kernel without NUMA has one node.
    if (errnoOf(error) === 'ENOENT') return 0
    throw error
  }
}

function validateMemory(memory: number, swap: number, reservation: number): void {
  if (memory !== 0 && memory < minimumMemoryBytes) throw invalidArgument('Minimum memory limit allowed is 6MB')
  if (memory > 0 && swap > 0 && swap < memory) {
    throw invalidArgument('Minimum memoryswap limit should be larger than memory limit, see usage')
  }
  if (memory === 0 && swap > 0) {
    throw invalidArgument('You should always set the Memory limit when using Memoryswap limit, see usage')
  }
  if (memory > 0 && reservation > memory) {
    throw invalidArgument('Minimum memory limit can not be less than memory reservation limit, see usage')
  }
}

function validateRestart(hostConfig: HostConfig): void {
  const { Name: name, MaximumRetryCount: retries } = hostConfig.RestartPolicy ?? {}
  if (!['', 'no', 'always', 'on-failure', 'unless-stopped'].includes(name ?? '')) {
    throw invalidArgument(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    )
  }
  if (name !== 'on-failure' && (retries ?? 0) !== 0) {
    throw invalidArgument("invalid restart policy: maximum retry count can only be used with 'on-failure'")
  }
  if ((retries ?? 0) < 0) throw invalidArgument('invalid restart policy: maximum retry count cannot be negative')
  if (hostConfig.AutoRemove === true && name && name !== 'no') {
    throw invalidArgument("can't create 'AutoRemove' container with restart policy")
  }
}

function validateNetwork(config: ContainerConfig, hostConfig: HostConfig): void {
  if (hostConfig.UTSMode === 'host' && config.Hostname) {
    throw invalidArgument('conflicting options: hostname and the UTS mode')
  }
  if (config.MacAddress && !/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(config.MacAddress)) {
    throw invalidArgument(`${config.MacAddress} is not a valid mac address`)
  }
  // Throws for what is not a port.
  portRequests(config, hostConfig)
  for (const entry of hostConfig.ExtraHosts ?? []) {
    const [, address = ''] = /^[^:=]+[:=](.*)$/s.exec(entry) ?? []
    if (!/^[^:=]+[:=]/.test(entry)) throw invalidArgument(`bad format for add-host: "${entry}"`)
    if (address !== 'host-gateway' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0) {
      throw invalidArgument(`invalid IP address in add-host: "${address}"`)
    }
  }
}

/** Refuses settings that make no sense for a container in the network namespace of another container or of the host.
 *  Only the request counts: an image may expose ports. */
function validateNetworkMode(request: ContainerConfig, hostConfig: HostConfig): void {
  const [kind, ...rest] = (hostConfig.NetworkMode ?? '').split(':')
  const conflicting = (what: string) => invalidArgument(`conflicting options: ${what}`)
  if ((kind === 'host' || kind === 'container') && request.MacAddress) {
    throw conflicting('mac-address and the network mode')
  }
  if (kind !== 'container') return
  if (!rest[0]) throw invalidArgument('Invalid network mode: invalid container format container:<name|id>')
  if (request.Hostname) throw conflicting('hostname and the network mode')
  if (notEmpty(hostConfig.Dns)) throw conflicting('dns and the network mode')
  if (notEmpty(hostConfig.ExtraHosts)) throw conflicting('custom host-to-IP mapping and the network mode')
  if (hostConfig.PublishAllPorts === true || Object.keys(hostConfig.PortBindings ?? {}).length > 0) {
    throw conflicting('port publishing and the container type network mode')
  }
  if (Object.keys(request.ExposedPorts ?? {}).length > 0) {
    throw conflicting('port exposing and the container type network mode')
  }
}

function notEmpty(list: readonly string[] | null | undefined): boolean {
  return (list?.length ?? 0) > 0
}

function validateSecurity(hostConfig: HostConfig, host: HostFacts): void {
  for (const [key, list] of [
    ['CapAdd', hostConfig.CapAdd],
    ['CapDrop', hostConfig.CapDrop],
  ] as const) {
    for (const given of list ?? []) {
      const upper = given.toUpperCase()
      if (upper === 'ALL') continue
      const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`
      if (!host.capabilities.has(name)) throw invalidArgument(`invalid ${key}: unknown capability: "${name}"`)
    }
  }
}
