import { isKind, messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { OutputClosed } from '../terminal/output.ts'
import { platformQuery } from './platform-query.ts'

export const command: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  operands: { min: 1 },
  flags: [
    { name: 'force', short: 'f', type: 'bool', help: 'Remove the image even if it is in use' },
    { name: 'no-prune', type: 'bool', help: 'Do not delete untagged parents' },
    { name: 'platform', type: 'strings', help: 'Only this platform (os[/arch[/variant]])' },
  ],
  async run({ client, output, errors }, flags, names) {
    const force = flags.bool('force')
    const platforms = flags.list('platform').map((text) => platformQuery(text).platform ?? '')
    const options = { force, noPrune: flags.bool('no-prune'), ...(platforms.length === 0 ? {} : { platforms }) }
    const failures: string[] = []
    let fatal = false
    for (const name of names) {
      try {
        for (const { Untagged, Deleted } of await client.images.remove(name, options)) {
          output.write(Deleted === undefined || Deleted === '' ? `Untagged: ${Untagged}\n` : `Deleted: ${Deleted}\n`)
        }
      } catch (error) {
        // The reader of the output has gone, which ends every command.
        if (error instanceof OutputClosed) throw error
        failures.push(messageOf(error))
        fatal ||= !force || !isKind(error, 'notFound')
      }
    }
    if (fatal) throw new CliError(1, failures.join('\n'))
    // With --force, a missing image is only reported.
    if (failures.length > 0) errors.write(`${failures.join('\n')}\n`)
    return 0
  },
}
