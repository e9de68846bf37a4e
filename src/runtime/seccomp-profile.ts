/** Docker's form of a seccomp profile (rules with conditions on capabilities, architecture and kernel) and what
 *  becomes of it for one container: the OCI `linux.seccomp`, which has no such conditions.
 *  https://docs.docker.com/engine/security/seccomp/ */
import { invalidArgument, messageOf } from '../base/index.ts'
import type { OciSeccomp, OciSeccompArgument, OciSeccompRule } from '../oci/index.ts'

/** When a rule holds: all that is given must match (in `excludes`: nothing may). */
export interface SeccompConditions {
  readonly caps?: readonly string[]
  readonly arches?: readonly string[]
  readonly minKernel?: string
}

export interface SeccompProfileRule {
  readonly names: readonly string[]
  readonly action: string
  readonly errnoRet?: number
  readonly args?: readonly OciSeccompArgument[]
  readonly includes?: SeccompConditions
  readonly excludes?: SeccompConditions
}

export interface SeccompProfile {
  readonly defaultAction: string
  readonly defaultErrnoRet?: number
  readonly archMap?: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] | null }[]
  readonly architectures?: readonly string[]
  readonly flags?: readonly string[]
  readonly syscalls: readonly SeccompProfileRule[]
}

/** What conditions are held against. */
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

/** The filter for one container. */
export function resolveSeccomp(profile: SeccompProfile, target: SeccompTarget): OciSeccomp {
  const architectures = architecturesOf(profile, target.arch)
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    ...(profile.flags === undefined ? {} : { flags: profile.flags }),
    syscalls: profile.syscalls.filter((rule) => applies(rule, target)).map(toOciRule),
  }
}

/** Reads a profile that a user gave (`--security-opt seccomp=` with the file's text).
 *  Throws `invalidArgument` when it is none. */
export function parseSeccompProfile(text: string): SeccompProfile {
  let value: Partial<SeccompProfile> & { readonly syscalls?: unknown }
  try {
    value = JSON.parse(text) as typeof value
  } catch (cause) {
    throw invalidArgument(`Decoding seccomp profile failed: ${messageOf(cause)}`, { cause })
  }
  if (typeof value !== 'object' || value === null || typeof value.defaultAction !== 'string') {
    throw invalidArgument('Decoding seccomp profile failed: defaultAction is missing')
  }
  if (value.architectures !== undefined && (value.archMap ?? []).length > 0) {
    throw invalidArgument(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    )
  }
  const rules = value.syscalls ?? []
  if (!Array.isArray(rules)) throw invalidArgument('Decoding seccomp profile failed: syscalls is not a list')
  return { ...value, defaultAction: value.defaultAction, syscalls: rules.map(parseRule) }
}

function parseRule(value: unknown): SeccompProfileRule {
  const rule = value as Partial<SeccompProfileRule> & { readonly name?: string }
  const names = rule.names ?? (rule.name === undefined ? [] : [rule.name])
  if (names.length === 0 || typeof rule.action !== 'string') {
    throw invalidArgument('Decoding seccomp profile failed: a rule without names or action')
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
