/** Docker's signed tags (`DOCKER_CONTENT_TRUST`, Notary). https://docs.docker.com/engine/security/trust/ */
import { invalidArgument } from '../../base/index.ts'
import type { ClientSettings } from '../../config/client/index.ts'
import type { FlagValues } from '../flags/flag-values.ts'

const disableFlag = 'disable-content-trust'

/** Throws `invalidArgument` when a flag or the environment asks for a check of signatures. Berth does not check any,
 *  and must not let a user believe that it did. */
export function refuseContentTrust({ environment }: Pick<ClientSettings, 'environment'>, flags: FlagValues): void {
  const isWanted = flags.has(disableFlag)
    ? !flags.bool(disableFlag)
    : /^(?:1|t|true)$/i.test(environment.DOCKER_CONTENT_TRUST ?? '')
  if (isWanted) {
    throw invalidArgument(`content trust is not supported: unset DOCKER_CONTENT_TRUST, or use --${disableFlag}`)
  }
}
