import { messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { humanSize } from '../format/units.ts'
import { copyIn } from './copy-in.ts'
import { copyOut } from './copy-out.ts'
import type { ContainerPlace } from './place.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tberth cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  operands: { min: 2, max: 2 },
  flags: [
    { name: 'archive', short: 'a', type: 'bool', help: "Make the container's user the owner of the files" },
    { name: 'follow-link', short: 'L', type: 'bool', help: 'Follow the symbolic link at the end of the source path' },
    { name: 'quiet', short: 'q', type: 'bool', help: 'Do not print what was copied' },
  ],
  async run(context, flags, [source = '', target = '']) {
    if (source === '') throw new CliError(1, 'source can not be empty')
    if (target === '') throw new CliError(1, 'destination can not be empty')
    const from = containerPlace(source)
    const to = containerPlace(target)
    if (from !== undefined && to !== undefined) {
      throw new CliError(1, 'copying between containers is not supported')
    }
    if (from === undefined && to === undefined) throw new CliError(1, 'must specify at least one container source')
    const sizeBytes = await copy(context, flags, { source, target, from, to })
    const quiet = flags.has('quiet') ? flags.bool('quiet') : !context.output.isTerminal
    if (!quiet && target !== '-' && source !== '-') {
      context.errors.write(`Successfully copied ${humanSize(sizeBytes)} to ${target}\n`)
    }
    return 0
  },
}

interface Ends {
  readonly source: string
  readonly target: string
  readonly from: ContainerPlace | undefined
  readonly to: ContainerPlace | undefined
}

/** Copies, and gives the number of bytes of the archive. */
async function copy(context: CliContext, flags: FlagValues, { source, target, from, to }: Ends): Promise<number> {
  const followLink = flags.bool('follow-link')
  try {
    if (from !== undefined) return await copyOut(context, from, target, { followLink })
    if (to !== undefined) return await copyIn(context, source, to, { followLink, archive: flags.bool('archive') })
    return 0
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(1, messageOf(error), { cause: error })
  }
}

/** Parses `CONTAINER:PATH`. Undefined for a path of this host (`/x`, `./a:b`, `name`). */
function containerPlace(text: string): ContainerPlace | undefined {
  const colon = text.indexOf(':')
  if (text.startsWith('/') || text.startsWith('.') || colon < 0) return undefined
  return { container: text.slice(0, colon), path: text.slice(colon + 1) }
}
