/** Reads the Dockerfile of a build and the ignore rules of its context, if they are on the client's side. */
import { errnoOf, messageOf } from '../../../base/index.ts'
import { IgnoreMatcher, ignoreFileNames, parseIgnoreFile } from '../../../build/dockerfile/index.ts'
import { CliError } from '../../command/cli-error.ts'
import { fs, posix } from '../../terminal/builtins.ts'
import type { Input } from '../../terminal/input.ts'
import type { ContextSource } from './context-source.ts'

/** A Dockerfile, and the ignore rules that belong to it. */
export interface DockerfileSource {
  /** The text. Undefined: the daemon finds it in its copy of the context. */
  readonly text: string | undefined
  /** The name for messages, or the path in the context. */
  readonly name: string
  readonly ignore: IgnoreMatcher
}

const defaultName = 'Dockerfile'

/** `file` is the value of `-f`: a path relative to the working directory, a URL, `-` for stdin, or empty. */
export async function readDockerfile(file: string, context: ContextSource, input: Input): Promise<DockerfileSource> {
  if (context.kind === 'none') {
    if (file !== '') throw file === '-' ? stdinTwice() : dockerfileTwice()
    return { text: context.dockerfile, name: defaultName, ignore: nothing }
  }
  if (file === '-') {
    if (context.kind === 'tar') throw stdinTwice()
    const parts: Buffer[] = []
    for await (const chunk of input.chunks()) parts.push(chunk)
    const ignore = context.kind === 'local' ? ignoreRules(context.directory, undefined) : nothing
    return { text: Buffer.concat(parts).toString('utf8'), name: defaultName, ignore }
  }
  if (/^https?:\/\//i.test(file)) {
    const ignore = context.kind === 'local' ? ignoreRules(context.directory, undefined) : nothing
    return { text: await fetchText(file), name: defaultName, ignore }
  }
  // Only the daemon can look into an archive or a repository.
  if (context.kind !== 'local') return { text: undefined, name: file || defaultName, ignore: nothing }
  const path = file === '' ? usualPath(context.directory) : posix.resolve(file)
  return { text: readText(path), name: posix.basename(path), ignore: ignoreRules(context.directory, path) }
}

const nothing = new IgnoreMatcher([])

function stdinTwice(): CliError {
  return new CliError(1, "ERROR: invalid argument: can't use stdin for both build context and dockerfile")
}

function dockerfileTwice(): CliError {
  return new CliError(1, 'ERROR: stdin is a Dockerfile, but --file names another one')
}

/** A longer text is not a Dockerfile. */
const maxFetchedBytes = 16 * 1024 * 1024

async function fetchText(url: string): Promise<string> {
  const failed = (why: string, cause?: unknown) =>
    new CliError(1, `ERROR: unable to prepare context: unable to download remote Dockerfile ${url}: ${why}`, { cause })
  let answer: Response
  try {
    answer = await fetch(url)
  } catch (error) {
    throw failed(messageOf((error as { readonly cause?: unknown }).cause ?? error), error)
  }
  if (!answer.ok) throw failed(`status ${answer.status}`)
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of answer.body ?? []) {
    size += part.length
    if (size > maxFetchedBytes) throw failed('it is too large')
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

/** The path of the usual Dockerfile. Also finds `dockerfile`, if there is no other. */
function usualPath(directory: string): string {
  const path = posix.join(directory, defaultName)
  const lower = posix.join(directory, defaultName.toLowerCase())
  return !fs.existsSync(path) && fs.existsSync(lower) ? lower : path
}

function readText(path: string): string {
  try {
    return fs.readFileSync(path, 'utf8')
  } catch (error) {
    const texts: Readonly<Record<string, string>> = {
      ENOENT: 'no such file or directory',
      EISDIR: 'is a directory',
      EACCES: 'permission denied',
    }
    const why = texts[errnoOf(error) ?? ''] ?? messageOf(error)
    throw new CliError(
      1,
      `ERROR: failed to build: failed to solve: failed to read dockerfile: open ${posix.basename(path)}: ${why}`,
      { cause: error },
    )
  }
}

/** The ignore rules of a directory other than the context. A named context has its own ignore file; a cache has
 *  none. */
export function ignoreRulesOf(name: string, directory: string): IgnoreMatcher {
  return name.startsWith('cache-from:') ? nothing : ignoreRules(directory, undefined)
}

/** Reads the ignore file beside the Dockerfile or, without one, that of the context. */
function ignoreRules(directory: string, dockerfile: string | undefined): IgnoreMatcher {
  const [own = '', common = ''] = ignoreFileNames(dockerfile ?? '')
  const candidates = dockerfile === undefined ? [] : [own]
  for (const candidate of [...candidates, posix.join(directory, common)]) {
    let text: string
    try {
      text = fs.readFileSync(candidate, 'utf8')
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') continue
      throw new CliError(1, `ERROR: failed to read ${posix.basename(candidate)}: ${messageOf(error)}`, { cause: error })
    }
    return new IgnoreMatcher(parseIgnoreFile(text))
  }
  return nothing
}
