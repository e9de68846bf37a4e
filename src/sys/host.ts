/** Facts about this host, as `/info` and `/version` report them. */
import { readFileSync, statfsSync } from 'node:fs'
import { arch, availableParallelism, hostname, machine, release, totalmem, version } from 'node:os'
import { errnoOf } from '../base/index.ts'

/** The host's name, kernel, operating system and size. */
export interface HostInfo {
  readonly hostname: string
  /** Output of `uname -r`. */
  readonly kernelVersion: string
  /** Output of `uname -v`. */
  readonly kernelBuild: string
  /** Output of `uname -m`: 'x86_64', 'aarch64'. */
  readonly machine: string
  /** The architecture's name in image platforms: 'amd64', 'arm64'. */
  readonly architecture: string
  /** PRETTY_NAME of os-release(5). */
  readonly operatingSystem: string
  /** VERSION_ID of os-release(5); '' if absent. */
  readonly operatingSystemVersion: string
  /** Processors that this process may use. */
  readonly cpus: number
  readonly memoryBytes: number
}

/** Features of the running kernel, and whether they are switched on. */
export interface KernelFeatures {
  readonly overlayfs: boolean
  readonly seccomp: boolean
  readonly appArmor: boolean
  /** net.ipv4.ip_forward in this network namespace. */
  readonly ipv4Forwarding: boolean
  /** bridge-nf-call-iptables: the packet filter sees bridged packets. */
  readonly bridgeFilterIpv4: boolean
  readonly bridgeFilterIpv6: boolean
}

const architectureNames: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' }

/** Names of file systems by the magic number of statfs(2). */
const fileSystemNames: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0x6969, 'nfs'],
  [0xf2f52010, 'f2fs'],
  [0x65735546, 'fuse'],
  [0x61756673, 'aufs'],
  [0x858458f6, 'ramfs'],
])

/** The facts about this host; read anew at each call. */
export function hostInfo(): HostInfo {
  const fields = osRelease()
  return {
    hostname: hostname(),
    kernelVersion: release(),
    kernelBuild: version(),
    machine: machine(),
    architecture: architectureNames[arch()] ?? arch(),
    operatingSystem: fields.PRETTY_NAME ?? fields.NAME ?? 'Linux',
    operatingSystemVersion: fields.VERSION_ID ?? '',
    cpus: availableParallelism(),
    memoryBytes: totalmem(),
  }
}

/** The kernel's features; read anew at each call. */
export function kernelFeatures(): KernelFeatures {
  return {
    overlayfs: /\boverlay$/m.test(readText('/proc/filesystems')),
    seccomp: /^Seccomp:/m.test(readText('/proc/self/status')),
    appArmor: readText('/sys/module/apparmor/parameters/enabled').startsWith('Y'),
    ipv4Forwarding: readText('/proc/sys/net/ipv4/ip_forward').startsWith('1'),
    bridgeFilterIpv4: readText('/proc/sys/net/bridge/bridge-nf-call-iptables').startsWith('1'),
    bridgeFilterIpv6: readText('/proc/sys/net/bridge/bridge-nf-call-ip6tables').startsWith('1'),
  }
}

/** The type of the file system that a path is on ('extfs', 'xfs', …), or its magic number in hexadecimal. Throws the
 *  errors of statfs(2). */
export function fileSystemName(path: string): string {
  const { type } = statfsSync(path)
  return fileSystemNames.get(type) ?? `0x${type.toString(16)}`
}

/** The effective capabilities of this process, as the hexadecimal mask `CapEff` of proc_pid_status(5). */
export function effectiveCapabilities(): string {
  return /^CapEff:\s*([0-9a-f]+)$/m.exec(readText('/proc/self/status'))?.[1] ?? '0'
}

/** The fields of os-release(5); none if there is no such file. */
export function osRelease(): Readonly<Record<string, string>> {
  const text = readText('/etc/os-release') || readText('/usr/lib/os-release')
  return parseOsRelease(text)
}

/** Parses os-release's shell-like assignments. */
export function parseOsRelease(text: string): Readonly<Record<string, string>> {
  const fields: Record<string, string> = {}
  for (const line of text.split('\n')) {
    const match = /^([A-Z0-9_]+)=(.*)$/.exec(line.trim())
    if (match === null) continue
    const [, name = '', value = ''] = match
    fields[name] = value.replace(/^(["'])(.*)\1$/, '$2').replace(/\\([$`"'\\])/g, '$1')
  }
  return fields
}

/** A file's text; '' when the kernel does not provide the file. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = errnoOf(error)
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EINVAL') return ''
    throw error
  }
}
