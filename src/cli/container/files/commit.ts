import { familiarName, parseReference } from '../../../oci/index.ts'
import { CliError } from '../../command/cli-error.ts'
import type { Command } from '../../command/command.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER [REPOSITORY[:TAG]]',
  operands: { min: 1, max: 2 },
  flags: [
    { name: 'author', short: 'a', type: 'string', help: 'Author (e.g. "Ada Lovelace <ada@example.org>")' },
    { name: 'change', short: 'c', type: 'list', help: 'Dockerfile instruction for the image' },
    { name: 'message', short: 'm', type: 'string', help: 'Comment of the image' },
    { name: 'pause', short: 'p', type: 'bool', help: 'Pause the container during the commit', defaultTrue: true },
  ],
  async run({ client, output }, flags, [container = '', name = '']) {
    const reference = name === '' ? undefined : parseReference(name)
    if (reference?.digest !== undefined) throw new CliError(1, 'refusing to create a tag with a digest reference')
    const id = await client.containerFiles.commit(container, {
      ...(reference === undefined ? {} : { repo: familiarName(reference), tag: reference.tag ?? 'latest' }),
      comment: flags.string('message'),
      author: flags.string('author'),
      changes: flags.list('change'),
      pause: flags.bool('pause'),
    })
    output.write(`${id}\n`)
    return 0
  },
}
