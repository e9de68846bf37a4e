/** Writes the results of a build to their destination: a directory, a file, or standard output. */
import { errnoOf, messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import { writeOutput } from '../command/output-file.ts'
import { fs } from '../terminal/builtins.ts'
import type { Output } from '../terminal/output.ts'

/** Unpacks an archive into a directory, which is created if it does not exist. The files belong to the user who runs
 *  the command. */
export async function unpackInto(directory: string, chunks: AsyncIterable<Buffer>): Promise<void> {
  // Loaded on first use: most builds send nothing back.
  const { TarParser, TreeWriter } = await import('../../archive/index.ts')
  let rootFd: number
  try {
    fs.mkdirSync(directory, { recursive: true })
    rootFd = fs.openSync(directory, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY)
  } catch (error) {
    const why = errnoOf(error) === 'EEXIST' || errnoOf(error) === 'ENOTDIR' ? 'not a directory' : messageOf(error)
    throw new CliError(1, `destination directory ${directory}: ${why}`, { cause: error })
  }
  try {
    using writer = new TreeWriter(rootFd, { destination: '', owner: 'writer', shownAs: directory })
    const parser = new TarParser({
      entry: (entry) => writer.entry(entry),
      data: (piece, position) => writer.data(piece, position),
      endEntry: () => writer.endEntry(),
    })
    for await (const chunk of chunks) parser.push(chunk)
    parser.end()
    writer.finish()
  } finally {
    fs.closeSync(rootFd)
  }
}

/** Writes the bytes to a file or, for `-`, to the output. A file appears only when it is complete. */
export async function writeFileOutput(dest: string, chunks: AsyncIterable<Buffer>, output: Output): Promise<void> {
  await writeOutput(dest === '-' ? '' : dest, 'failed to export the build', output, async () => chunks)
}
