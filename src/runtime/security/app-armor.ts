/** AppArmor on this host: whether containers can be confined by it, and the default profile, which is loaded when it is
 *  missing. Profiles live in the kernel only, and others take them away (`aa-teardown`, an upgrade of AppArmor), so it
 *  is looked for before each start. apparmor_parser(8); https://docs.docker.com/engine/security/apparmor/ */
import { readFileSync } from 'node:fs'
import { errnoOf, internal, messageOf } from '../../base/index.ts'
import { kernelFeatures, runCommand } from '../../sys/index.ts'
import { findProgram } from '../programs/find-program.ts'
import { appArmorProfile, defaultAppArmorProfile } from './app-armor-profile.ts'

/** Confinement by AppArmor. */
export interface AppArmor {
  /** Makes sure that a container can be started under a profile: loads the default one when it is missing. Throws
   *  `internal` in Docker's words for one that is not there. */
  require(profile: string): Promise<void>
}

const profilesPath = '/sys/kernel/security/apparmor/profiles'
const parserTimeoutMs = 30_000

/** Undefined on a host without AppArmor, or without the program that loads profiles: Docker runs containers unconfined
 *  there. */
export function openAppArmor(): AppArmor | undefined {
  const parser = findProgram('apparmor_parser')
  if (!kernelFeatures().appArmor || parser === undefined || loadedProfiles() === undefined) return undefined
  // Starts at the same time wait for one run of the parser.
  let loading: Promise<void> | undefined
  return {
    async require(profile) {
      if (profile === 'unconfined' || isLoaded(profile)) return
      if (profile !== defaultAppArmorProfile) throw notLoaded()
      loading ??= load(parser).finally(() => {
        loading = undefined
      })
      await loading
    },
  }
}

/** What is loaded already stays: a Docker on the same host has a profile of this name too. */
async function load(parser: string): Promise<void> {
  let why: string
  try {
    const options = { input: appArmorProfile(ownProfile()), timeoutMs: parserTimeoutMs }
    const { code, stderr } = await runCommand(parser, ['-K', '-r'], options)
    if (code === 0) return
    why = stderr.trim()
  } catch (cause) {
    why = messageOf(cause)
  }
  throw internal(`AppArmor enabled on system but the ${defaultAppArmorProfile} profile could not be loaded: ${why}`)
}

function notLoaded(): Error {
  return internal(
    'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory: unknown',
  )
}

/** Lines of `name (mode)`. A stack of profiles, or one of another namespace, is the kernel's to judge. */
function isLoaded(profile: string): boolean {
  if (/^:|\/\/&/.test(profile)) return true
  return (loadedProfiles() ?? '').split('\n').some((line) => line.replace(/ \([a-z]+\)$/, '') === profile)
}

function loadedProfiles(): string | undefined {
  try {
    return readFileSync(profilesPath, 'utf8')
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return undefined
  }
}

/** The profile that the daemon itself is under. */
function ownProfile(): string {
  try {
    const text = readFileSync('/proc/self/attr/current', 'utf8')
    return text.replace(/ \([a-z]+\)\s*$/, '').trim() || 'unconfined'
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 'unconfined'
  }
}
