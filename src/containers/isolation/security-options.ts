/** Parses `--security-opt` in Docker's forms: `seccomp=…`, `no-new-privileges[=bool]`, `label=…`, `apparmor=…`,
 *  `systempaths=…`. */
import type { HostConfig } from '../../api/index.ts'
import { invalidArgument } from '../../base/index.ts'
import type { SeccompChoice } from '../../runtime/index.ts'

/** The parsed options. */
export interface SecurityOptions {
  /** Undefined if not given. */
  readonly seccomp: SeccompChoice | undefined
  readonly noNewPrivileges: boolean | undefined
  /** The name of a profile, or `unconfined`; undefined if not given. */
  readonly appArmor: string | undefined
  /** The values of all `label=` options in order: `disable`, `nested`, `type:…`. */
  readonly labels: readonly string[]
}

/** The kernel's security modules that can be used on this host. */
export interface SecurityModules {
  readonly appArmor: boolean
  readonly selinux: boolean
}

/** Throws `invalidArgument` for an unknown option or value. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  const labels: string[] = []
  let parsed: SecurityOptions = { seccomp: undefined, noNewPrivileges: undefined, appArmor: undefined, labels }
  for (const option of options) {
    const { key, value } = partsOf(option)
    checkLength(option, key)
    if (key === 'label' && value !== undefined) labels.push(value)
    else if (key === 'disable' && value === undefined) labels.push('disable')
    else parsed = { ...parsed, ...readOption(option, key, value) }
  }
  return parsed
}

/** Labels and names of profiles reach the OCI runtime. Only a seccomp profile is a document. */
const maxOptionBytes = 1024

function checkLength(option: string, key: string): void {
  const bytes = Buffer.byteLength(option)
  if (key !== 'seccomp' && bytes > maxOptionBytes) {
    throw invalidArgument(`invalid --security-opt: ${key.slice(0, 60)} has ${bytes} bytes, at most ${maxOptionBytes}`)
  }
}

function readOption(option: string, key: string, value: string | undefined): Partial<SecurityOptions> {
  if (key === 'no-new-privileges') return { noNewPrivileges: value === undefined || booleanOf(option, value) }
  if (value === undefined) throw invalidArgument(`invalid --security-opt 1: ${JSON.stringify(option)}`)
  if (key === 'seccomp') return { seccomp: seccompOf(value) }
  if (key === 'apparmor') return { appArmor: value === '' ? undefined : value }
  if (key === 'systempaths' && value === 'unconfined') return {}
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}

/** Splits at `=`, or at Docker's old separator `:` if there is no `=`. */
function partsOf(option: string): { readonly key: string; readonly value: string | undefined } {
  const separator = option.includes('=') ? '=' : ':'
  const at = option.indexOf(separator)
  return at === -1 ? { key: option, value: undefined } : { key: option.slice(0, at), value: option.slice(at + 1) }
}

/** The options that use the old separator; Docker warns about them in its log. */
export function deprecatedOptions(options: readonly string[]): string[] {
  return options.filter((option) => !option.includes('=') && option.includes(':'))
}

/** Warnings about options without effect on this host. Throws `invalidArgument` for a label that SELinux does not
 *  support; if SELinux is off, any text is accepted, as with Docker. */
export function securityWarnings({ SecurityOpt: options }: HostConfig, modules: SecurityModules): string[] {
  const { appArmor, labels } = parseSecurityOptions(options ?? [])
  if (modules.selinux) for (const label of labels) checkLabel(label)
  return [
    ...(appArmor === undefined || appArmor === 'unconfined' || modules.appArmor
      ? []
      : ['Your kernel does not support AppArmor or it is not enabled. AppArmor profile discarded.']),
    ...(labels.some((label) => label !== 'disable') && !modules.selinux
      ? ['SELinux is not enabled for containers. SELinux labels discarded.']
      : []),
  ]
}

function checkLabel(value: string): void {
  if (/^(disable|nested|(user|role|type|level|filetype):.+)$/.test(value)) return
  throw invalidArgument(
    `bad label option ${JSON.stringify(value)}, valid options 'disable' or 'user, role, level, type, filetype' followed by ':' and a value`,
  )
}

/** Parses a boolean as Go's ParseBool does. */
function booleanOf(option: string, value: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}

/** Parses the value of `seccomp=` or of the daemon's default: a profile's text, `builtin` or `unconfined`. */
export function seccompOf(value: string): SeccompChoice {
  if (value === 'unconfined') return 'unconfined'
  if (value === 'builtin' || value === '') return 'default'
  return { profile: value }
}
