/** The names that the local driver accepts. Pure; the messages are Docker's. */
import { invalidArgument } from '../../base/index.ts'

/** The label that marks volumes made without a name. */
export const anonymousLabel = 'com.docker.volume.anonymous'

const allowed = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** Throws `invalidArgument` for a name that Docker refuses. */
export function checkVolumeName(name: string): void {
  if (Buffer.byteLength(name) === 1) {
    throw invalidArgument(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    )
  }
  if (allowed.test(name)) return
  throw invalidArgument(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}
