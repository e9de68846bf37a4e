import { formatReference, parseReference } from '../../oci/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { refuseContentTrust } from '../command/content-trust.ts'
import { pullImage } from './pull-image.ts'

export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG|@DIGEST]',
  operands: { min: 1, max: 1 },
  flags: [
    { name: 'all-tags', short: 'a', type: 'bool', help: 'All tags of the repository' },
    {
      name: 'disable-content-trust',
      type: 'bool',
      help: 'Do not verify signatures (verification is not supported)',
      defaultTrue: true,
    },
    { name: 'platform', type: 'string', help: 'Platform to pull (os[/arch[/variant]])' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Do not show the progress' },
  ],
  async run(context, flags, [name = '']) {
    const { output } = context
    parseReference(name)
    refuseContentTrust(context.settings, flags)
    const quiet = flags.bool('quiet')
    const allTags = flags.bool('all-tags')
    const named = /:[\w][\w.-]*$|@/.test(name.slice(name.lastIndexOf('/') + 1))
    if (allTags && named) throw new CliError(1, "tag can't be used with --all-tags/-a")
    if (!named && !allTags && !quiet) output.write('Using default tag: latest\n')
    const options = {
      platform: flags.string('platform') || context.settings.defaultPlatform,
      quiet,
      progress: output,
      allTags,
    }
    output.write(`${formatReference(await pullImage(context, name, options))}\n`)
    return 0
  },
}
