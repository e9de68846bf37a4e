/** Builds the OCI runtime's config.json from what the engine knows about a container, with Docker's defaults. Pure.
 *  The filter of system calls is by far the largest part, and the same for most containers. It is cached as text per
 *  profile and capability set, so that a config.json takes 0.1 ms.
 *  https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config.md */
import type { OciCapabilities, OciLinux, OciNamespace, OciNamespaceType, OciProcess, OciSpec } from '../../oci/index.ts'
import { resolveCapabilities } from '../security/capabilities.ts'
import { defaultSeccompProfile } from '../security/default-seccomp.ts'
import { parseSeccompProfile, resolveSeccomp } from '../security/seccomp-profile.ts'
import type {
  FilesInput,
  NamespaceMode,
  NamespacesInput,
  ProcessInput,
  SeccompChoice,
  SecurityInput,
  SpecHost,
  SpecInput,
} from './spec-input.ts'
import { initDestination, specMounts } from './spec-mounts.ts'
import { deviceRules, resourcesOf } from './spec-resources.ts'

/** Paths of /proc and /sys that reveal or affect the host. Containers can't access them unless they are privileged. */
export const defaultMaskedPaths: readonly string[] = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]

/** Paths of /proc that containers can only read unless they are privileged. */
export const defaultReadonlyPaths: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
]

/** An OCI configuration whose filter of system calls is separate, as text. */
export interface BuiltSpec {
  readonly spec: OciSpec
  /** JSON of `linux.seccomp`; undefined when the container runs unconfined. */
  readonly seccompJson: string | undefined
}

/** The runtime configuration of a container. Throws `invalidArgument` for capabilities or a seccomp profile
 *  that do not exist. */
export function buildSpec(input: SpecInput, host: SpecHost): BuiltSpec {
  const { process, files, namespaces, security, resources, annotations } = input
  const { privileged } = security
  const capabilities = resolveCapabilities({
    ...security.capabilities,
    privileged,
    available: host.capabilities,
  })
  const spec: OciSpec = {
    ociVersion: '1.0.2',
    process: processOf(process, security, capabilities),
    root: { path: files.rootfs, readonly: files.readonlyRootfs },
    ...(namespaces.uts === 'host' ? {} : { hostname: namespaces.hostname }),
    ...(namespaces.domainname ? { domainname: namespaces.domainname } : {}),
    mounts: specMounts(input),
    ...(annotations === undefined ? {} : { annotations }),
    linux: linuxOf({ files, namespaces, security, resources }, host),
  }
  return {
    spec,
    seccompJson: seccompJson(
      privileged && security.seccomp === 'default' ? 'unconfined' : security.seccomp,
      capabilities,
      host,
    ),
  }
}

/** The text of config.json. `compiled` (see `seccomp-cache.ts`) replaces the rules of the filter. */
export function formatSpec({ spec, seccompJson }: BuiltSpec, compiled?: CompiledFilter): string {
  if (compiled === undefined || seccompJson === undefined) return insertSeccomp(JSON.stringify(spec), seccompJson)
  const { linux, ...rest } = spec
  const annotations = { ...spec.annotations, [compiled.annotation]: compiled.data }
  return insertSeccomp(JSON.stringify({ ...rest, annotations, linux }), compiled.seccompJson)
}

/** A compiled filter, in the form that the OCI runtime accepts. */
export interface CompiledFilter {
  /** Name of the annotation that carries the filter. */
  readonly annotation: string
  /** Its value: the filter in base64. */
  readonly data: string
  /** JSON of `linux.seccomp` without its rules. */
  readonly seccompJson: string
}

function insertSeccomp(text: string, seccompJson: string | undefined): string {
  // `linux` is the last key of the spec and an object, so its end and the spec's are the last two braces.
  return seccompJson === undefined ? text : `${text.slice(0, -2)},"seccomp":${seccompJson}}}`
}

/** The environment of a container's process, as `NAME=value` entries: Docker's own variables (PATH, HOSTNAME, and TERM
 *  with a terminal), overridden by `wanted`. An entry of `wanted` without `=` removes that variable. */
export function buildEnv(
  wanted: readonly string[],
  { hostname, terminal }: { hostname: string; terminal: boolean },
): string[] {
  const env = new Map<string, string>()
  env.set('PATH', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin')
  env.set('HOSTNAME', `HOSTNAME=${hostname}`)
  if (terminal) env.set('TERM', 'TERM=xterm')
  for (const entry of wanted) {
    const name = entry.split('=', 1)[0] ?? ''
    if (entry.includes('=')) env.set(name, entry)
    else env.delete(name)
  }
  return [...env.values()]
}

/** The five capability sets of a process with these capabilities. As with Docker, the inheritable and ambient sets stay
 *  empty, so that users other than root get capabilities only through setuid programs. */
export function capabilitySets(names: readonly string[]): OciCapabilities {
  return { bounding: names, effective: names, permitted: names, inheritable: [], ambient: [] }
}

function processOf(input: ProcessInput, security: SecurityInput, capabilities: readonly string[]): OciProcess {
  return {
    terminal: input.terminal,
    ...(input.terminal && input.consoleSize !== undefined ? { consoleSize: input.consoleSize } : {}),
    user: input.user,
    args: input.init === undefined ? input.args : [initDestination, '--', ...input.args],
    env: input.env,
    cwd: input.cwd === '' ? '/' : input.cwd,
    capabilities: capabilitySets(capabilities),
    ...(input.rlimits.length === 0 ? {} : { rlimits: input.rlimits }),
    noNewPrivileges: security.noNewPrivileges,
    ...(input.oomScoreAdj === undefined ? {} : { oomScoreAdj: input.oomScoreAdj }),
    ...(security.appArmorProfile === undefined ? {} : { apparmorProfile: security.appArmorProfile }),
    ...(security.labels?.process ? { selinuxLabel: security.labels.process } : {}),
  }
}

function linuxOf(
  { files, namespaces, security, resources }: Omit<SpecInput, 'process' | 'annotations'>,
  host: SpecHost,
): OciLinux {
  const propagation = rootPropagation(files)
  const { users, sysctls } = namespaces
  const { devices = [] } = resources
  return {
    namespaces: namespacesOf(namespaces, host),
    ...(users === undefined ? {} : { uidMappings: users.mappings.uids, gidMappings: users.mappings.gids }),
    cgroupsPath: resources.cgroupsPath,
    ...(devices.length === 0 ? {} : { devices }),
    resources: { devices: deviceRules(security, resources), ...resourcesOf(resources.limits) },
    ...(sysctls === undefined ? {} : { sysctl: sysctls }),
    ...(security.privileged
      ? {}
      : {
          maskedPaths: security.maskedPaths ?? defaultMaskedPaths,
          readonlyPaths: security.readonlyPaths ?? defaultReadonlyPaths,
        }),
    ...(propagation === undefined ? {} : { rootfsPropagation: propagation }),
    ...(security.labels?.mount ? { mountLabel: security.labels.mount } : {}),
  }
}

/** The propagation of the root mount. Mounts can propagate between host and container only if the root allows it. */
function rootPropagation({ binds }: FilesInput): string | undefined {
  const wanted = binds.map(({ propagation = 'rprivate' }) => propagation)
  if (wanted.some((value) => value.endsWith('shared'))) return 'shared'
  return wanted.some((value) => value.endsWith('slave')) ? 'rslave' : undefined
}

function namespacesOf(namespaces: NamespacesInput, host: SpecHost): OciNamespace[] {
  const { users } = namespaces
  const cgroup = namespaces.cgroup ?? (host.cgroupVersion === 2 ? 'private' : 'host')
  return [
    { type: 'mount' },
    ...(users === undefined ? [] : namespace('user', users.path === undefined ? 'private' : { path: users.path })),
    ...namespace('network', namespaces.network),
    ...namespace('uts', namespaces.uts),
    ...namespace('pid', namespaces.pid),
    ...namespace('ipc', namespaces.ipc),
    ...namespace('cgroup', cgroup),
  ]
}

function namespace(type: OciNamespaceType, mode: NamespaceMode): OciNamespace[] {
  if (mode === 'host') return []
  return mode === 'private' ? [{ type }] : [{ type, path: mode.path }]
}

const seccompTexts = new Map<string, string>()

function seccompJson(choice: SeccompChoice, capabilities: readonly string[], host: SpecHost): string | undefined {
  if (choice === 'unconfined') return undefined
  if (choice !== 'default') {
    const profile = parseSeccompProfile(choice.profile)
    return profile === undefined ? undefined : JSON.stringify(resolveSeccomp(profile, { ...host, capabilities }))
  }
  const key = `${host.arch} ${capabilities.join()}`
  const known = seccompTexts.get(key)
  if (known !== undefined) return known
  const text = JSON.stringify(resolveSeccomp(defaultSeccompProfile, { ...host, capabilities }))
  // Users choose capability sets freely. The bound keeps the cache small.
  if (seccompTexts.size >= 64) seccompTexts.clear()
  seccompTexts.set(key, text)
  return text
}
