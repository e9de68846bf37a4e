/** `--output`, `--push` and `--load`: the results of a build, and where the client puts what it receives.
 *  https://docs.docker.com/build/exporters/ */
import type { BuildOutput, BuildOutputType } from '../../api/index.ts'
import { csvFields, csvPairs } from '../../build/dockerfile/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { FlagValues } from '../flags/flag-values.ts'

/** An output, and its destination on the client's side. */
export interface OutputOption {
  readonly output: BuildOutput
  /** A directory, a file, or `-` for standard output. Undefined: the result stays with the daemon. */
  readonly dest: string | undefined
  /** The target that the output belongs to. Undefined: all targets. */
  readonly target: string | undefined
}

const types: ReadonlySet<string> = new Set<BuildOutputType>([
  ...(['image', 'docker', 'oci', 'tar', 'local', 'registry', 'cacheonly'] as const),
])

/** What the meaning of the flags depends on. */
export interface OutputFlags {
  /** True if standard output is a terminal, which must not receive an archive. */
  readonly isTerminal: boolean
}

/** Parses the flags. Throws with buildx's texts. */
export function parseOutputs(flags: FlagValues, { isTerminal }: OutputFlags): readonly OutputOption[] {
  const options = flags.list('output').map((value) => parseOutput(value, isTerminal))
  const wantsPush = flags.bool('push')
  const wantsLoad = flags.bool('load')
  if (wantsPush && wantsLoad) throw new CliError(1, 'ERROR: push and load may not be set together at the moment')
  const pushes = (type: string) => type === 'image' || type === 'registry'
  if (wantsPush && options.some(({ output }) => pushes(output.type))) {
    // `--push` adds a push to the image that the other flags ask for.
    return options.map((one) => (pushes(one.output.type) ? withAttr(one, 'push', 'true') : one))
  }
  if (wantsPush) return [...options, ofDaemon('image', { push: 'true' })]
  if (wantsLoad && !options.some(({ output, dest }) => output.type === 'docker' && dest === undefined)) {
    return [...options, ofDaemon('image', {})]
  }
  return options
}

function ofDaemon(type: BuildOutputType, attrs: Readonly<Record<string, string>>): OutputOption {
  return { output: { type, attrs }, dest: undefined, target: undefined }
}

function withAttr(option: OutputOption, name: string, value: string): OutputOption {
  const { output } = option
  return { ...option, output: { ...output, attrs: { ...output.attrs, [name]: value } } }
}

function parseOutput(value: string, isTerminal: boolean): OutputOption {
  const fields = csvFields(value)
  const [only = ''] = fields
  if (fields.length === 1 && !only.startsWith('type=')) {
    if (only === '-') return checked({ type: 'tar' }, '-', isTerminal)
    return checked({ type: 'local' }, only, isTerminal)
  }
  const { dest, ...attrs } = Object.fromEntries(csvPairs(value)) as Record<string, string>
  return checked(attrs, dest, isTerminal)
}

function checked(given: Readonly<Record<string, string>>, dest: string | undefined, isTerminal: boolean): OutputOption {
  const { type = '', target, ...attrs } = given
  if (type === '') throw new CliError(1, 'ERROR: type is required for output')
  if (!isType(type)) throw new CliError(1, `ERROR: exporter ${JSON.stringify(type)} could not be found`)
  if (stays.has(type)) {
    if (dest !== undefined) throw new CliError(1, `ERROR: dest is not supported by the ${type} exporter`)
    return { output: { type, attrs }, dest, target }
  }
  // Without a file the image goes to the daemon, as in docker.
  if (type === 'docker' && dest === undefined) return { output: { type: 'image', attrs }, dest, target }
  const place = dest === undefined || dest === '' ? '-' : dest
  const isDirectory = type === 'local' || (type === 'oci' && attrs.tar === 'false')
  if (isDirectory && place === '-') throw new CliError(1, `ERROR: dest is required for ${type} exporter`)
  if (place === '-' && isTerminal) {
    throw new CliError(1, `ERROR: dest file is required for ${type} exporter. refusing to write to console`)
  }
  return { output: { type, attrs }, dest: place, target }
}

/** Types of output of which the client receives nothing. */
const stays: ReadonlySet<BuildOutputType> = new Set(['image', 'registry', 'cacheonly'])

function isType(type: string): type is BuildOutputType {
  return types.has(type)
}
