/** The kernel's security modules that this host has and the configuration enables. */
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

/** Loads AppArmor's default profile and reads the SELinux policy. As in dockerd, a profile that can't be loaded and a
 *  missing SELinux are logged and no errors. */
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

/** Gives the SELinux label of layers to everything in their directory, then to the directory itself, from which new
 *  files inherit it. If the daemon dies in between, the directory has no label yet and the next boot starts over. */
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
    // Debian's policy lacks these types unless a module adds them.
    logger.error('the SELinux policy names a label for containers that it does not have: none can be made', { label })
  }
  return labels
}
