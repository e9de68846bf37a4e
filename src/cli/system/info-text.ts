/** `berth info` as text, in Docker's layout. */
import type { SystemInfo } from '../../api/index.ts'
import { binarySize } from '../format/units.ts'

/** The whole text. It ends with an empty line. */
export function infoText(info: SystemInfo): string {
  const lines = [
    ...counts(info),
    ...drivers(info),
    ...runtimes(info),
    ...securityLines(info.SecurityOptions ?? []),
    ...host(info),
    ...settings(info),
  ]
  return `${lines.map((line) => ` ${line}`).join('\n')}\n\n`
}

function counts(info: SystemInfo): string[] {
  return [
    `Containers: ${info.Containers}`,
    ` Running: ${info.ContainersRunning}`,
    ` Paused: ${info.ContainersPaused}`,
    ` Stopped: ${info.ContainersStopped}`,
    `Images: ${info.Images}`,
    `Server Version: ${info.ServerVersion}`,
  ]
}

function drivers(info: SystemInfo): string[] {
  const { Plugins: plugins } = info
  return [
    `Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => ` ${name}: ${value}`),
    `Logging Driver: ${info.LoggingDriver}`,
    `Cgroup Driver: ${info.CgroupDriver}`,
    `Cgroup Version: ${info.CgroupVersion}`,
    'Plugins:',
    ` Volume: ${(plugins?.Volume ?? []).join(' ')}`,
    ` Network: ${(plugins?.Network ?? []).join(' ')}`,
    ...((plugins?.Authorization ?? []).length === 0 ? [] : [` Authorization: ${plugins.Authorization?.join(' ')}`]),
    ` Log: ${(plugins?.Log ?? []).join(' ')}`,
    ...section('CDI spec directories:', info.CDISpecDirs),
    `Swarm: ${info.Swarm?.LocalNodeState ?? 'inactive'}`,
  ]
}

function runtimes(info: SystemInfo): string[] {
  return [
    `Runtimes: ${Object.keys(info.Runtimes ?? {})
      .toSorted()
      .join(' ')}`,
    `Default Runtime: ${info.DefaultRuntime}`,
    `Init Binary: ${info.InitBinary}`,
    // Docker's name for this line, whatever the runtime is.
    `containerd version: ${info.ContainerdCommit?.ID ?? ''}`,
    `runc version: ${info.RuncCommit?.ID ?? ''}`,
    `init version: ${info.InitCommit?.ID ?? ''}`,
  ]
}

/** Splits `name=seccomp,profile=builtin` into the name, and below it the rest. */
function securityLines(options: readonly string[]): string[] {
  if (options.length === 0) return []
  const lines = ['Security Options:']
  for (const option of options) {
    const fields = option.split(',').map((field) => field.split('=', 2) as [string, string | undefined])
    for (const [key, value = ''] of fields) {
      lines.push(key === 'name' ? ` ${value}` : `  ${key.charAt(0).toUpperCase()}${key.slice(1)}: ${value}`)
    }
  }
  return lines
}

function host(info: SystemInfo): string[] {
  return [
    `Kernel Version: ${info.KernelVersion}`,
    `Operating System: ${info.OperatingSystem}`,
    `OSType: ${info.OSType}`,
    `Architecture: ${info.Architecture}`,
    `CPUs: ${info.NCPU}`,
    `Total Memory: ${binarySize(info.MemTotal)}`,
    `Name: ${info.Name}`,
    `ID: ${info.ID}`,
    `Berth Root Dir: ${info.DockerRootDir}`,
    `Debug Mode: ${info.Debug}`,
    ...(info.Debug
      ? [
          ` File Descriptors: ${info.NFd}`,
          ` System Time: ${info.SystemTime}`,
          ` EventsListeners: ${info.NEventsListener}`,
        ]
      : []),
  ]
}

function settings(info: SystemInfo): string[] {
  const insecure = Object.values(info.RegistryConfig?.IndexConfigs ?? {})
    .filter(({ Secure }) => !Secure)
    .map(({ Name }) => Name)
  const pools = (info.DefaultAddressPools ?? []).map(({ Base, Size }) => `  Base: ${Base}, Size: ${Size}`)
  return [
    ...value('HTTP Proxy', info.HttpProxy),
    ...value('HTTPS Proxy', info.HttpsProxy),
    ...value('No Proxy', info.NoProxy),
    ...section('Labels:', info.Labels),
    `Experimental: ${info.ExperimentalBuild}`,
    ...section('Insecure Registries:', [...insecure, ...(info.RegistryConfig?.InsecureRegistryCIDRs ?? [])]),
    ...section('Registry Mirrors:', info.RegistryConfig?.Mirrors),
    `Live Restore Enabled: ${info.LiveRestoreEnabled}`,
    ...value('Product License', info.ProductLicense),
    ...(pools.length === 0 ? [] : ['Default Address Pools:', ...pools]),
  ]
}

function value(name: string, text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : [`${name}: ${text}`]
}

function section(title: string, items: readonly string[] | null | undefined): string[] {
  return (items ?? []).length === 0 ? [] : [title, ...(items ?? []).map((item) => ` ${item}`)]
}
