/** Types of the OCI runtime configuration (`config.json` of a bundle), as far as Berth writes it.
 *  https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config.md */

import type { OciIdMapping } from './id-map.ts'

/** A container's whole runtime configuration. */
export interface OciSpec {
  readonly ociVersion: string
  readonly process: OciProcess
  readonly root: { readonly path: string; readonly readonly: boolean }
  readonly hostname?: string
  readonly domainname?: string
  readonly mounts: readonly OciMount[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly hooks?: Readonly<Record<string, readonly OciHook[]>>
  readonly linux: OciLinux
}

/** A program of the host that the runtime runs at one point of a container's life. */
export interface OciHook {
  readonly path: string
  readonly args?: readonly string[]
  readonly env?: readonly string[]
  /** In seconds. */
  readonly timeout?: number
}

/** One process: a container's first one, or one that joins it later. */
export interface OciProcess {
  readonly terminal: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: OciUser
  readonly args: readonly string[]
  readonly env: readonly string[]
  readonly cwd: string
  readonly capabilities: OciCapabilities
  readonly rlimits?: readonly OciRlimit[]
  readonly noNewPrivileges?: boolean
  readonly oomScoreAdj?: number
  readonly apparmorProfile?: string
  readonly selinuxLabel?: string
}

/** Numeric ids only: names are resolved before. */
export interface OciUser {
  readonly uid: number
  readonly gid: number
  readonly additionalGids?: readonly number[]
  readonly umask?: number
}

/** Sets of capabilities, by names with the `CAP_` prefix. */
export interface OciCapabilities {
  readonly bounding: readonly string[]
  readonly effective: readonly string[]
  readonly permitted: readonly string[]
  readonly inheritable: readonly string[]
  readonly ambient: readonly string[]
}

/** One resource limit of a process: setrlimit(2). */
export interface OciRlimit {
  /** `RLIMIT_NOFILE` and so on. */
  readonly type: string
  readonly hard: number
  readonly soft: number
}

/** One mount. `options` are those of mount(8), and the runtime's own such as `rbind`. */
export interface OciMount {
  readonly destination: string
  readonly type?: string
  readonly source?: string
  readonly options?: readonly string[]
}

/** The kinds of namespaces: namespaces(7). */
export type OciNamespaceType = 'pid' | 'network' | 'mount' | 'ipc' | 'uts' | 'user' | 'cgroup' | 'time'

/** A namespace to make or, with `path`, to join. */
export interface OciNamespace {
  readonly type: OciNamespaceType
  readonly path?: string
}

/** The part for Linux: namespaces, cgroup, devices, what is hidden.
 *  https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config-linux.md */
export interface OciLinux {
  readonly namespaces: readonly OciNamespace[]
  readonly uidMappings?: readonly OciIdMapping[]
  readonly gidMappings?: readonly OciIdMapping[]
  readonly cgroupsPath: string
  readonly devices?: readonly OciDevice[]
  readonly resources: OciResources
  readonly sysctl?: Readonly<Record<string, string>>
  readonly maskedPaths?: readonly string[]
  readonly readonlyPaths?: readonly string[]
  readonly rootfsPropagation?: string
  /** The SELinux label of mounts. */
  readonly mountLabel?: string
  readonly seccomp?: OciSeccomp
}

/** A device node to make in the container's /dev. */
export interface OciDevice {
  readonly path: string
  readonly type: 'c' | 'b' | 'p' | 'u'
  readonly major: number
  readonly minor: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

/** Allows or denies access to devices. `access` is made of `r`, `w` and `m`; absent numbers match any device. */
export interface OciDeviceRule {
  readonly allow: boolean
  readonly type?: 'a' | 'c' | 'b'
  readonly major?: number
  readonly minor?: number
  readonly access?: string
}

/** Limits in the terms of cgroup v1, which the runtime converts for v2. Memory is in bytes, CPU times in
 *  microseconds. */
export interface OciResources {
  readonly devices?: readonly OciDeviceRule[]
  readonly memory?: {
    readonly limit?: number
    readonly reservation?: number
    readonly swap?: number
    readonly swappiness?: number
    readonly disableOOMKiller?: boolean
    readonly kernelTCP?: number
  }
  readonly cpu?: {
    readonly shares?: number
    readonly quota?: number
    readonly period?: number
    readonly realtimeRuntime?: number
    readonly realtimePeriod?: number
    readonly cpus?: string
    readonly mems?: string
  }
  readonly pids?: { readonly limit: number }
  readonly blockIO?: OciBlockIo
  readonly unified?: Readonly<Record<string, string>>
}

/** Shares and limits of block devices. Rates are bytes or operations per second. */
export interface OciBlockIo {
  readonly weight?: number
  readonly weightDevice?: readonly (OciBlockDevice & { readonly weight: number })[]
  readonly throttleReadBpsDevice?: readonly OciThrottle[]
  readonly throttleWriteBpsDevice?: readonly OciThrottle[]
  readonly throttleReadIOPSDevice?: readonly OciThrottle[]
  readonly throttleWriteIOPSDevice?: readonly OciThrottle[]
}

/** A block device by its numbers. */
export interface OciBlockDevice {
  readonly major: number
  readonly minor: number
}

/** A block device and its rate. */
export interface OciThrottle extends OciBlockDevice {
  readonly rate: number
}

/** A filter of system calls: seccomp(2). */
export interface OciSeccomp {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls?: readonly OciSeccompRule[]
}

/** What happens to the named system calls if all conditions of `args` hold. */
export interface OciSeccompRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly OciSeccompArgument[]
}

/** A condition on one argument of a system call. */
export interface OciSeccompArgument {
  readonly index: number
  readonly value: number
  readonly valueTwo?: number
  readonly op: string
}
