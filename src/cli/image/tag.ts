import { invalidArgument, messageOf } from '../../base/index.ts'
import { familiarName, parseReference, type Reference, withDefaultTag } from '../../oci/index.ts'
import type { Command } from '../command/command.ts'

export const command: Command = {
  usage: 'SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]',
  operands: { min: 2, max: 2 },
  flags: [],
  async run({ client }, _flags, [source = '', target = '']) {
    const reference = withDefaultTag(parseTarget(target))
    if (reference.digest !== undefined) throw invalidArgument('refusing to create a tag with a digest reference')
    await client.images.tag(source, { repo: familiarName(reference), tag: reference.tag })
    return 0
  },
}

function parseTarget(target: string): Reference {
  try {
    return parseReference(target)
  } catch (error) {
    throw invalidArgument(
      `Error parsing reference: ${JSON.stringify(target)} is not a valid repository/tag: ${messageOf(error)}`,
      {
        cause: error,
      },
    )
  }
}
