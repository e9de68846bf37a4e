/** The flags of `stop` and `restart`. */
import type { StopBehaviour } from '../../../client/index.ts'
import type { Flag } from '../../flags/flag.ts'
import type { FlagValues } from '../../flags/flag-values.ts'

/** `--signal` and `--timeout`. */
export const stopFlags: readonly Flag[] = [
  { name: 'signal', short: 's', type: 'string', help: 'Signal to send' },
  { name: 'timeout', short: 't', type: 'int', help: 'Seconds to wait before killing the container' },
  { name: 'time', type: 'int', help: 'Seconds to wait before killing the container', hidden: true },
]

/** The values of these flags. */
export function stopBehaviour(flags: FlagValues): StopBehaviour {
  const name = flags.has('timeout') ? 'timeout' : 'time'
  return {
    stopSignal: flags.string('signal'),
    ...(flags.has(name) ? { timeoutSeconds: flags.number(name) } : {}),
  }
}
