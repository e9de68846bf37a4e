/** Which AppArmor profile confines a container. https://docs.docker.com/engine/security/apparmor/ */
import type { HostConfig } from '../api/index.ts'
import type { ContainerContext } from './dependencies.ts'
import { parseSecurityOptions } from './security-options.ts'

type Confined = Pick<HostConfig, 'SecurityOpt' | 'Privileged'>

/** The profile's name as inspect shows it; '' on a host without AppArmor. */
export function appArmorProfileOf({ appArmorProfile }: ContainerContext, hostConfig: Confined): string {
  if (appArmorProfile === undefined) return ''
  const { appArmor } = parseSecurityOptions(hostConfig.SecurityOpt ?? [])
  return appArmor ?? (hostConfig.Privileged === true ? 'unconfined' : appArmorProfile)
}

/** The same for the runtime, which is told nothing of `unconfined`. */
export function appArmorOf(context: ContainerContext, hostConfig: Confined): { readonly appArmorProfile?: string } {
  const profile = appArmorProfileOf(context, hostConfig)
  return profile === '' || profile === 'unconfined' ? {} : { appArmorProfile: profile }
}
