/** Seccomp profiles in Docker's format, whose rules may have conditions on capabilities, architecture and kernel. For
 *  each container, a profile is resolved to an OCI `linux.seccomp`, which has no such conditions.
 *  https://docs.docker.com/engine/security/seccomp/ */
import { invalidArgument, messageOf } from '../../base/index.ts'
import type { OciSeccomp, OciSeccompArgument, OciSeccompRule } from '../../oci/index.ts'

/** Conditions of a rule. In `includes`, all of them must match; in `excludes`, none may. */
export interface SeccompConditions {
  readonly caps?: readonly string[]
  readonly arches?: readonly string[]
  readonly minKernel?: string
}

/** What happens at some system calls, under some conditions. */
export interface SeccompProfileRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly OciSeccompArgument[]
  readonly includes?: SeccompConditions
  readonly excludes?: SeccompConditions
}

/** A profile in Docker's format. */
export interface SeccompProfile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] | null }[]
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  /** Socket of an agent that decides about calls (SCMP_ACT_NOTIFY), and a text that is sent to the agent. */
  readonly listenerPath?: string
  readonly listenerMetadata?: string
  readonly syscalls: readonly SeccompProfileRule[]
}

/** The container and host for which conditions are evaluated. */
export interface SeccompTarget {
  /** Docker's (Go's) name: `amd64`, `arm64`. */
  readonly arch: string
  readonly kernelRelease: string
  readonly capabilities: readonly string[]
}

const nativeArchitectures: Readonly<Record<string, string>> = {
  amd64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  s390x: 'SCMP_ARCH_S390X',
  ppc64le: 'SCMP_ARCH_PPC64LE',
  riscv64: 'SCMP_ARCH_RISCV64',
}

/** The filter of one container. */
export function resolveSeccomp(profile: SeccompProfile, target: SeccompTarget): OciSeccomp {
  const architectures = architecturesOf(profile, target.arch)
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    ...(profile.listenerPath === undefined ? {} : { listenerPath: profile.listenerPath }),
    ...(profile.listenerMetadata === undefined ? {} : { listenerMetadata: profile.listenerMetadata }),
    // OCI runtimes reject rules without names.
    syscalls: profile.syscalls.filter((rule) => rule.names.length > 0 && applies(rule, target)).map(toOciRule),
  }
}

/** Parses a profile that a user gave (`--security-opt seccomp=` with the file's text). Returns undefined for an empty
 *  profile, which filters nothing. Throws `invalidArgument` with Docker's message when the text is not a profile. */
export function parseSeccompProfile(text: string): SeccompProfile | undefined {
  let value: Partial<SeccompProfile> & { readonly syscalls?: unknown }
  try {
    value = JSON.parse(text) as typeof value
  } catch (cause) {
    throw invalidArgument(`Decoding seccomp profile failed: ${messageOf(cause)}`, { cause })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw failed(
      `json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value} into Go value of type seccomp.Seccomp`,
    )
  }
  const rules = value.syscalls ?? []
  if (!Array.isArray(rules)) throw failed('syscalls is not a list')
  if (value.defaultAction === undefined && rules.length === 0) return undefined
  if (typeof value.defaultAction !== 'string') throw failed('defaultAction is missing')
  checkAction(value.defaultAction)
  if ((value.architectures ?? []).length > 0 && (value.archMap ?? []).length > 0) {
    throw invalidArgument(
      "'architectures' and 'archMap' were specified in the seccomp profile, use either 'architectures' or 'archMap'",
    )
  }
  return { ...value, defaultAction: value.defaultAction, syscalls: rules.map(parseRule) }
}

function failed(why: string): Error {
  return invalidArgument(`Decoding seccomp profile failed: ${why}`)
}

/** https://github.com/opencontainers/runtime-spec/blob/v1.1.0/config-linux.md#seccomp */
const actions = 'KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY'.split(' ')

function checkAction(action: string): void {
  if (!actions.some((name) => action === `SCMP_ACT_${name}`)) {
    throw invalidArgument(`string ${action} is not a valid action for seccomp`)
  }
}

function parseRule(value: unknown): SeccompProfileRule {
  const rule = value as Partial<SeccompProfileRule> & { readonly name?: string }
  if (rule.name && (rule.names ?? []).length > 0) {
    throw invalidArgument("'name' and 'names' were specified in the seccomp profile, use either 'name' or 'names'")
  }
  const names = rule.name ? [rule.name] : (rule.names ?? [])
  if (typeof rule.action !== 'string') throw failed('a rule without action')
  checkAction(rule.action)
  for (const { minKernel } of [rule.includes ?? {}, rule.excludes ?? {}]) {
    if (minKernel !== undefined && !/^\d+\.\d+$/.test(minKernel)) {
      throw failed(`invalid kernel version: ${JSON.stringify(minKernel)}, expected "<kernel>.<major>"`)
    }
  }
  return { ...rule, names, action: rule.action }
}

function architecturesOf(profile: SeccompProfile, arch: string): readonly string[] {
  if (profile.architectures !== undefined) return profile.architectures
  const native = nativeArchitectures[arch]
  const entry = profile.archMap?.find(({ architecture }) => architecture === native)
  return entry === undefined ? [] : [entry.architecture, ...(entry.subArchitectures ?? [])]
}

function applies(rule: SeccompProfileRule, target: SeccompTarget): boolean {
  const { includes = {}, excludes = {} } = rule
  if (excludes.arches?.includes(target.arch) === true) return false
  if (excludes.caps?.some((name) => target.capabilities.includes(name)) === true) return false
  if (excludes.minKernel !== undefined && kernelIsAtLeast(target.kernelRelease, excludes.minKernel)) return false
  const arches = includes.arches ?? []
  if (arches.length > 0 && !arches.includes(target.arch)) return false
  if (includes.caps?.every((name) => target.capabilities.includes(name)) === false) return false
  return includes.minKernel === undefined || kernelIsAtLeast(target.kernelRelease, includes.minKernel)
}

function kernelIsAtLeast(release: string, minimum: string): boolean {
  const [major = 0, minor = 0] = release.split(/[.-]/).map(Number)
  const [wantedMajor = 0, wantedMinor = 0] = minimum.split('.').map(Number)
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)
}

function toOciRule(rule: SeccompProfileRule): OciSeccompRule {
  return {
    names: rule.names,
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args === undefined || rule.args.length === 0 ? {} : { args: rule.args }),
  }
}
