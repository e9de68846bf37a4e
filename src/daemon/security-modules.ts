/** The kernel's security modules, as far as this host has them and the configuration wants them. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { errnoOf, type Logger, messageOf } from '../base/index.ts'
import type { DaemonConfig } from '../config/index.ts'
import { type AppArmor, defaultAppArmorProfile, openAppArmor, SelinuxLabels } from '../runtime/index.ts'
import { getXattr, relabelTree, type SelinuxPolicy, selinuxPolicy, setXattr } from '../sys/index.ts'

export interface SecurityModules {
  readonly appArmor: AppArmor | undefined
  readonly labels: SelinuxLabels | undefined
}

/** Loads the default profile of AppArmor. One that can't be loaded, and SELinux that is wanted and not there, are logged,
 *  as by dockerd. */
export async function openSecurityModules(
  config: DaemonConfig,
  { logger, selinux }: { readonly logger: Logger; readonly selinux?: SelinuxPolicy },
): Promise<SecurityModules> {
  const appArmor = openAppArmor()
  try {
    await appArmor?.require(defaultAppArmorProfile)
  } catch (error) {
    logger.error('containers can not be started under the default profile', { error: messageOf(error) })
  }
  return { appArmor, labels: config.selinux ? openLabels(selinux ?? selinuxPolicy(), logger) : undefined }
}

/** Labels what is in the directory of layers, itself last: what is made there later takes its label over. Killed midway:
 *  the next boot begins again. */
export async function labelLayers(labels: SelinuxLabels | undefined, directory: string): Promise<void> {
  if (labels === undefined) return
  const present = getXattr(directory, 'security.selinux')?.toString().replace(/\0$/, '')
  if (present === labels.layers) return
  for (const name of readdirSync(directory)) await relabelTree(join(directory, name), labels.layers)
  try {
    setXattr(directory, 'security.selinux', Buffer.from(labels.layers))
  } catch (error) {
    if (errnoOf(error) !== 'ENOTSUP') throw error
  }
}

function openLabels(policy: SelinuxPolicy | undefined, logger: Logger): SelinuxLabels | undefined {
  if (policy === undefined) {
    logger.warn('SELinux is not enabled on this host: selinux-enabled has no effect', {})
    return undefined
  }
  const labels = SelinuxLabels.of(policy)
  if (labels === undefined) logger.warn('the SELinux policy has no labels for containers: none are given', {})
  for (const name of ['process', 'file']) {
    const label = policy.contexts[name]
    if (labels === undefined || label === undefined || policy.knows(label)) continue
    // Debian's policy does that: a module has to bring the types.
    logger.error('the SELinux policy names a label for containers that it does not have: none can be made', { label })
  }
  return labels
}
