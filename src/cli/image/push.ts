import { throwProgressError } from '../../client/index.ts'
import { familiarName, formatReference, parseReference, withDefaultTag } from '../../oci/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { refuseContentTrust } from '../command/content-trust.ts'
import { registryAuthFor } from '../login/registry-auth.ts'
import { ProgressDisplay } from '../terminal/progress-display.ts'
import { platformQuery } from './platform-query.ts'

export const command: Command = {
  usage: '[OPTIONS] NAME[:TAG]',
  operands: { min: 1, max: 1 },
  flags: [
    { name: 'all-tags', short: 'a', type: 'bool', help: 'All tags of the repository' },
    {
      name: 'disable-content-trust',
      type: 'bool',
      help: 'Ignored: images are known by their digests',
      defaultTrue: true,
    },
    {
      name: 'platform',
      type: 'string',
      help: 'Push only the manifest for this platform, not the index that it comes from (os[/arch[/variant]])',
    },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Do not show the progress' },
  ],
  async run(context, flags, [name = '']) {
    const { client, output, errors } = context
    const parsed = parseReference(name)
    refuseContentTrust(context.settings, flags)
    const allTags = flags.bool('all-tags')
    const isBare = parsed.tag === undefined && parsed.digest === undefined
    if (allTags && !isBare) throw new CliError(1, "tag can't be used with --all-tags/-a")
    if (parsed.digest !== undefined) throw new CliError(1, 'cannot push a digest reference')
    const quiet = flags.bool('quiet')
    const wanted = flags.string('platform')
    const { platform } = platformQuery(wanted, `Invalid platform ${wanted}`)
    const reference = allTags ? parsed : withDefaultTag(parsed)
    if (isBare && !allTags && !quiet) output.write(`Using default tag: ${reference.tag}\n`)
    const stream = client.registries.push(familiarName(reference), {
      tag: reference.tag,
      platform,
      registryAuth: await registryAuthFor(context, reference.registry),
    })
    const display = new ProgressDisplay(output)
    const notes: string[] = []
    for await (const message of stream) {
      throwProgressError(message)
      notes.push(...noteOf(message.aux))
      if (!quiet) display.show(message)
    }
    if (quiet) output.write(`${formatReference(reference)}\n`)
    for (const note of notes) errors.write(note)
    return 0
  },
}

/** The note that only one platform of a multi-platform image was present and pushed. */
function noteOf(aux: unknown): string[] {
  const { manifestPushedInsteadOfIndex: isNote, originalIndex, selectedManifest } = membersOf(aux)
  if (isNote !== true) return []
  const index = String(membersOf(originalIndex).digest)
  const manifest = String(membersOf(selectedManifest).digest)
  return [`Only one platform's image is here, so that was pushed: ${manifest}, not the index ${index}\n`]
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
