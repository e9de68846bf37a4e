/** The kernel's security modules: loads the default AppArmor profile where the host has AppArmor. */
import { readFileSync } from 'node:fs'
import { errnoOf, invalidArgument, type Logger, messageOf } from '../base/index.ts'
import { appArmorProfile, appArmorProfileName } from '../runtime/index.ts'
import { kernelFeatures, runCommand } from '../sys/index.ts'

const parserTimeoutMs = 30_000

/** The name of the profile that containers get; undefined on a host without AppArmor, or without its parser, which is
 *  logged: Docker too runs containers unconfined then. */
export async function loadAppArmor(logger: Logger): Promise<string | undefined> {
  if (!kernelFeatures().appArmor) return undefined
  try {
    // Replaces what an older version of the daemon has loaded; nothing is kept in a cache.
    const { code, stderr } = await runCommand('apparmor_parser', ['-K', '-r'], {
      input: appArmorProfile(ownProfile()),
      timeoutMs: parserTimeoutMs,
    })
    if (code === 0) return appArmorProfileName
    logger.warn('AppArmor profile not loaded: containers are not confined by AppArmor', { error: stderr.trim() })
  } catch (error) {
    logger.warn('AppArmor profile not loaded: containers are not confined by AppArmor', { error: messageOf(error) })
  }
  return undefined
}

/** What becomes of `selinux-enabled`. Without SELinux on the host there is a warning, as by dockerd; with it, an error:
 *  Berth sets no labels. */
export function refuseSelinux(logger: Logger): void {
  if (kernelFeatures().selinux) throw invalidArgument('selinux-enabled: Berth does not label containers')
  logger.warn('SELinux is not enabled on this host: selinux-enabled has no effect', {})
}

/** The profile that the daemon itself is under. */
function ownProfile(): string {
  try {
    return (
      readFileSync('/proc/self/attr/current', 'utf8')
        .replace(/ \(.*\)\s*$/s, '')
        .trim() || 'unconfined'
    )
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 'unconfined'
  }
}
