/** `--security-opt`. Docker's forms: `seccomp=…`, `no-new-privileges[=bool]`, `label=…`, `apparmor=…`, `systempaths=…`. */
import { invalidArgument, notImplemented } from '../base/index.ts'
import type { SeccompChoice } from '../runtime/index.ts'

export interface SecurityOptions {
  readonly seccomp: SeccompChoice
  readonly noNewPrivileges: boolean | undefined
  readonly unmaskedPaths: boolean
}

/** Throws `invalidArgument` for an unknown option and `notImplemented` for one the host has no support for. */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let seccomp: SeccompChoice = 'default'
  let noNewPrivileges: boolean | undefined
  let unmaskedPaths = false
  for (const option of options) {
    const [, key = '', value = ''] = /^([a-z-]+)(?:[=:]([\s\S]*))?$/.exec(option) ?? []
    if (key === 'no-new-privileges') noNewPrivileges = booleanOf(option, value)
    else if (key === 'seccomp') seccomp = seccompOf(value)
    else if (key === 'systempaths' && value === 'unconfined') unmaskedPaths = true
    else if (key === 'label' && value === 'disable') continue
    else if (key === 'apparmor' && value === 'unconfined') continue
    else if (key === 'label' || key === 'apparmor') throw notImplemented(`security option ${option} is not implemented`)
    else throw unknownOption(option, value)
  }
  return { seccomp, noNewPrivileges, unmaskedPaths }
}

function unknownOption(option: string, value: string): Error {
  return invalidArgument(`invalid --security-opt ${value === '' ? 1 : 2}: ${JSON.stringify(option)}`)
}

function booleanOf(option: string, value: string): boolean {
  if (value === '' || value === 'true' || value === '1') return true
  if (value === 'false' || value === '0') return false
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`)
}

function seccompOf(value: string): SeccompChoice {
  if (value === 'unconfined') return 'unconfined'
  if (value === 'builtin' || value === '') return 'default'
  try {
    JSON.parse(value)
  } catch (cause) {
    throw invalidArgument('Decoding seccomp profile failed: not JSON', { cause })
  }
  return { profile: value }
}
