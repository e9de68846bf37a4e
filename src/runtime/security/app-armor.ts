/** AppArmor on this host: whether it can confine containers, and loading the default profile. Profiles exist only in
 *  the kernel, and other programs remove them (`aa-teardown`, an upgrade of AppArmor), so each start checks for the
 *  profile. apparmor_parser(8); https://docs.docker.com/engine/security/apparmor/ */
import { readFileSync } from 'node:fs'
import { errnoOf, internal, messageOf } from '../../base/index.ts'
import { kernelFeatures, runCommand } from '../../sys/index.ts'
import { findProgram } from '../programs/find-program.ts'
import { appArmorProfile, defaultAppArmorProfile } from './app-armor-profile.ts'

/** Confinement by AppArmor. */
export interface AppArmor {
  /** Makes sure that a container can start under a profile. Loads the default profile if it is missing. Rejects with
   *  `internal` and Docker's message for any other profile that is not loaded. */
  require(profile: string): Promise<void>
}

const profilesPath = '/sys/kernel/security/apparmor/profiles'
const parserTimeoutMs = 30_000

/** AppArmor, if the kernel has it and apparmor_parser is installed. Otherwise undefined: containers then run
 *  unconfined, as with Docker. */
export function openAppArmor(): AppArmor | undefined {
  const parser = findProgram('apparmor_parser')
  if (!kernelFeatures().appArmor || parser === undefined || loadedProfiles() === undefined) return undefined
  // Concurrent starts wait for the same run of the parser.
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

/** Loads the default profile. One that is loaded already stays: Docker on the same host may have loaded a profile of
 *  the same name. */
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

/** Looks for the profile in the kernel's list of `name (mode)` lines. Always true for a stack of profiles or a profile
 *  of another namespace, which only the kernel can check. */
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

/** The profile that confines the daemon itself. */
function ownProfile(): string {
  try {
    const text = readFileSync('/proc/self/attr/current', 'utf8')
    return text.replace(/ \([a-z]+\)\s*$/, '').trim() || 'unconfined'
  } catch (error) {
    if (errnoOf(error) === undefined) throw error
    return 'unconfined'
  }
}
