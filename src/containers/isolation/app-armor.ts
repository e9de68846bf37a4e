/** Chooses the AppArmor profile that confines a container. https://docs.docker.com/engine/security/apparmor/ */
import type { HostConfig } from '../../api/index.ts'
import { defaultAppArmorProfile } from '../../runtime/index.ts'
import type { Uses } from '../record/dependencies.ts'
import { parseSecurityOptions } from './security-options.ts'

type Confined = Pick<HostConfig, 'SecurityOpt' | 'Privileged'>

/** The profile's name as inspect shows it; '' on a host without AppArmor. */
export function appArmorProfileOf({ appArmor }: Uses<'appArmor'>, hostConfig: Confined): string {
  if (appArmor === undefined) return ''
  const { appArmor: asked } = parseSecurityOptions(hostConfig.SecurityOpt ?? [])
  return asked ?? (hostConfig.Privileged === true ? 'unconfined' : defaultAppArmorProfile)
}

/** The profile for the OCI runtime; none for `unconfined`. */
export function appArmorOf(context: Uses<'appArmor'>, hostConfig: Confined): { readonly appArmorProfile?: string } {
  const profile = appArmorProfileOf(context, hostConfig)
  return profile === '' || profile === 'unconfined' ? {} : { appArmorProfile: profile }
}

/** Call before each start of a process. Throws if the profile is not loaded. */
export async function requireAppArmor(context: Uses<'appArmor'>, hostConfig: Confined): Promise<void> {
  await context.appArmor?.require(appArmorProfileOf(context, hostConfig))
}
