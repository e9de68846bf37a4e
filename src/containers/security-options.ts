/** `--security-opt`. Docker's forms: `seccomp=…`, `no-new-privileges[=bool]`, `label=…`, `apparmor=…`, `systempaths=…`. */
import type { HostConfig } from '../api/index.ts'
import { invalidArgument } from '../base/index.ts'
import type { SeccompChoice } from '../runtime/index.ts'

export interface SecurityOptions {
  /** Undefined: nothing was said. */
  readonly seccomp: SeccompChoice | undefined
  readonly noNewPrivileges: boolean | undefined
  /** The name of a profile, or `unconfined`; undefined: nothing was said. */
  readonly appArmor: string | undefined
  readonly hasLabels: boolean
}

/** Which security modules of the kernel can be used. */
export interface SecurityModules {
  readonly appArmor: boolean
}

/** Throws `invalidArgument` for an unknown option or value. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let seccomp: SeccompChoice | undefined
  let noNewPrivileges: boolean | undefined
  let appArmor: string | undefined
  let hasLabels = false
  for (const option of options) {
    const [, key = '', value = ''] = /^([a-z-]+)(?:[=:]([\s\S]*))?$/.exec(option) ?? []
    if (key === 'no-new-privileges') noNewPrivileges = booleanOf(option, value)
    else if (key === 'seccomp') seccomp = seccompOf(value)
    else if (key === 'apparmor' && value !== '') appArmor = value
    else if (key === 'label' && labelPattern.test(value)) hasLabels ||= value !== 'disable'
    else if (key !== 'systempaths' || value !== 'unconfined') throw unknownOption(option, value)
  }
  return { seccomp, noNewPrivileges, appArmor, hasLabels }
}

/** What of the options has no effect on this host. */
export function securityWarnings({ SecurityOpt: options }: HostConfig, modules: SecurityModules): string[] {
  const { appArmor, hasLabels } = parseSecurityOptions(options ?? [])
  return [
    ...(appArmor === undefined || appArmor === 'unconfined' || modules.appArmor
      ? []
      : ['Your kernel does not support AppArmor or it is not enabled. AppArmor profile discarded.']),
    ...(hasLabels ? ['SELinux is not enabled for containers. SELinux labels discarded.'] : []),
  ]
}

const labelPattern = /^(disable|nested|(user|role|type|level|filetype):.+)$/

function unknownOption(option: string, value: string): Error {
  return invalidArgument(`invalid --security-opt ${value === '' ? 1 : 2}: ${JSON.stringify(option)}`)
}

/** As Go's ParseBool. */
function booleanOf(option: string, value: string): boolean {
  if (['', '1', 't', 'T', 'true', 'TRUE', 'True'].includes(value)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(value)) return false
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}

/** The daemon's default and the option say it alike: a profile's text, `builtin` or `unconfined`. */
export function seccompOf(value: string): SeccompChoice {
  if (value === 'unconfined') return 'unconfined'
  if (value === 'builtin' || value === '') return 'default'
  return { profile: value }
}
