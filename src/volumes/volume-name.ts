/** Which names, drivers and options the local driver takes. Pure; the messages are Docker's. */
import { invalidArgument, notFound, notImplemented } from '../base/index.ts'
import type { VolumeRequest } from './volume-record.ts'

/** The label that marks volumes made without a name. */
export const anonymousLabel = 'com.docker.volume.anonymous'

const allowed = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
/** Options that Docker's local driver has (they mount something else than a directory). */
const mountOptions = new Set(['type', 'device', 'o', 'size'])

/** Throws `invalidArgument` unless a volume may have that name. */
export function checkVolumeName(name: string): void {
  if (name.length === 1) {
    throw invalidArgument(
      `create ${name}: volume name is too short, names should be at least two alphanumeric characters`,
    )
  }
  if (allowed.test(name)) return
  throw invalidArgument(
    `create ${name}: "${name}" includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path`,
  )
}

/** Throws unless driver and options are ones that exist here. */
export function checkVolumeDriver(name: string, request: VolumeRequest): void {
  const { driver = '', options = {} } = request
  if (driver !== '' && driver !== 'local') {
    throw notFound(`create ${name}: error looking up volume plugin ${driver}: plugin "${driver}" not found`)
  }
  for (const option of Object.keys(options)) {
    if (mountOptions.has(option)) throw notImplemented(`volume driver option "${option}" is not implemented yet`)
    throw invalidArgument(`create ${name}: invalid option: "${option}"`)
  }
}
