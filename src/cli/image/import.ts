import { throwProgressError } from '../../client/index.ts'
import { familiarName, parseReference } from '../../oci/index.ts'
import type { Command } from '../command/command.ts'
import { readInputFile } from '../command/input-file.ts'
import { ProgressDisplay } from '../terminal/progress-display.ts'

export const command: Command = {
  usage: '[OPTIONS] file|URL|- [REPOSITORY[:TAG]]',
  operands: { min: 1 },
  flags: [
    { name: 'change', short: 'c', type: 'list', help: 'Dockerfile instruction for the image' },
    { name: 'message', short: 'm', type: 'string', help: 'Comment of the image' },
    { name: 'platform', type: 'string', help: 'Platform of the image' },
  ],
  async run({ client, input, output }, flags, [source = '', name]) {
    const reference = name === undefined ? undefined : parseReference(name)
    const remote = /^https?:\/\//.test(source)
    const body = remote ? undefined : source === '-' ? input.chunks() : readInputFile(source)
    const display = new ProgressDisplay(output)
    const stream = client.images.import({
      fromSrc: remote ? source : '-',
      body,
      ...(reference === undefined ? {} : { repo: familiarName(reference), tag: reference.tag }),
      message: flags.string('message'),
      changes: flags.list('change'),
      platform: flags.string('platform'),
    })
    for await (const message of stream) {
      throwProgressError(message)
      display.show(message)
    }
    return 0
  },
}
