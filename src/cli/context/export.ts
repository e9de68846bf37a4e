import { packEntries, type TarMemberInput } from '../../archive/index.ts'
import { errnoOf, messageOf } from '../../base/index.ts'
import type { ClientSettings } from '../../config/client/index.ts'
import { checkContextName } from '../../config/client/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { Command } from '../command/command.ts'
import { fs } from '../terminal/builtins.ts'
import { findContext, storedTls } from './contexts.ts'

export const command: Command = {
  usage: '[OPTIONS] CONTEXT [FILE|-]',
  operands: { min: 1, max: 2 },
  flags: [],
  async run({ settings, output, errors }, _flags, [name = '', target]) {
    checkContextName(name)
    const members = membersOf(settings, name)
    const file = target ?? `${name}.dockercontext`
    if (file === '-') {
      if (output.isTerminal) throw new CliError(1, 'cowardly refusing to export to a terminal, specify a file path')
      for await (const chunk of packEntries(members)) output.write(chunk)
      return 0
    }
    await writeNew(file, packEntries(members))
    errors.write(`Written file "${file}"\n`)
    return 0
  },
}

function membersOf(settings: ClientSettings, name: string): readonly TarMemberInput[] {
  const member = (path: string, body: Buffer, mode: number): TarMemberInput => ({
    entry: { type: 'file', path, mode, sizeBytes: body.length },
    body,
  })
  const directory = (path: string): TarMemberInput => ({ entry: { type: 'directory', path, mode: 0o700 } })
  const tls = Object.entries(storedTls(settings, name)).map(([file, content]) =>
    member(`tls/docker/${file}`, content ?? Buffer.alloc(0), 0o600),
  )
  const directories = tls.length === 0 ? [directory('tls')] : [directory('tls'), directory('tls/docker')]
  return [member('meta.json', Buffer.from(JSON.stringify(findContext(settings, name))), 0o644), ...directories, ...tls]
}

/** Writes a new file; never overwrites one. */
async function writeNew(path: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  let fd: number
  try {
    fd = fs.openSync(path, 'wx', 0o600)
  } catch (error) {
    const reasons: Readonly<Record<string, string>> = { EEXIST: 'file exists', ENOENT: 'no such file or directory' }
    throw new CliError(1, `open ${path}: ${reasons[errnoOf(error) ?? ''] ?? messageOf(error)}`)
  }
  try {
    for await (const chunk of chunks) fs.writeFileSync(fd, chunk)
  } finally {
    fs.closeSync(fd)
  }
}
