/** The variables that FROM can use: global ARGs, build arguments from the user, and predefined arguments.
 *  https://docs.docker.com/reference/dockerfile/#arg */
import { formatPlatform, hostPlatform, type Platform } from '../../../oci/index.ts'
import type { Instruction } from '../instructions/instruction.ts'
import type { Dockerfile } from '../parse/parse-dockerfile.ts'
import { DockerfileError } from '../text/dockerfile-error.ts'
import type { LogicalLine } from '../text/logical-line.ts'
import type { Word } from '../text/words.ts'
import { type Expansion, expandWord } from '../words/expand-word.ts'
import { ExpansionError } from '../words/expansion-error.ts'

/** The user's options, and the platforms. */
export interface ScopeOptions {
  /** Values of `--build-arg`. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** Where the build runs. Default: this host. */
  readonly buildPlatform?: Platform
  /** What the build is for. Default: the build platform. */
  readonly targetPlatform?: Platform
  /** Value of `--target`, for TARGETSTAGE. */
  readonly target?: string
}

/** The arguments before the first stage. */
export interface GlobalScope {
  readonly buildArgs: Readonly<Record<string, string>>
  readonly buildPlatform: Platform
  readonly targetPlatform: Platform
  /** Global arguments with a value, including predefined ones. */
  readonly values: ReadonlyMap<string, string>
  /** All global arguments, including those without a value. */
  readonly declared: ReadonlySet<string>
}

/** Proxies can be given without ARG. RUN gets them, but cache keys and the history do not. */
export const proxyArguments: readonly string[] = [
  ...['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'FTP_PROXY', 'ftp_proxy'],
  ...['NO_PROXY', 'no_proxy', 'ALL_PROXY', 'all_proxy'],
]

const builderArguments = [
  ...['BUILDKIT_BUILD_NAME', 'BUILDKIT_CACHE_MOUNT_NS', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR', 'BUILDKIT_GIT_ADVICE'],
  ...['BUILDKIT_INLINE_CACHE', 'BUILDKIT_MULTI_PLATFORM', 'BUILDKIT_SANDBOX_HOSTNAME', 'BUILDKIT_SYNTAX'],
  ...['BUILDKIT_DOCKERFILE_CHECK', 'SOURCE_DATE_EPOCH'],
]

/** TARGETPLATFORM and the like. */
const platformArguments: readonly string[] = [
  ...['TARGETPLATFORM', 'TARGETOS', 'TARGETARCH', 'TARGETVARIANT', 'TARGETSTAGE'],
  ...['BUILDPLATFORM', 'BUILDOS', 'BUILDARCH', 'BUILDVARIANT'],
]

/** Evaluates the arguments before the first FROM. Throws `DockerfileError` for a default that can't be expanded. */
export function evaluateGlobals(dockerfile: Dockerfile, options: ScopeOptions = {}): GlobalScope {
  const { buildArgs = {}, buildPlatform = hostPlatform(), target = 'default' } = options
  const targetPlatform = options.targetPlatform ?? buildPlatform
  const values = new Map<string, string>(predefined(buildPlatform, targetPlatform, target))
  for (const name of values.keys()) if (Object.hasOwn(buildArgs, name)) values.set(name, buildArgs[name] ?? '')
  const declared = new Set(values.keys())
  const expandOptions = { escape: dockerfile.directives.escape }
  for (const { args, line } of dockerfile.globalArgs) {
    for (const arg of args) {
      // An argument can use those before it, even in the same instruction.
      const expand = (word: string) =>
        expandAt(line, { text: word, offset: arg.offset }, () =>
          expandWord(word, (name) => values.get(name), expandOptions),
        ).text
      const name = expand(arg.name)
      const value = Object.hasOwn(buildArgs, name)
        ? buildArgs[name]
        : arg.value === undefined
          ? undefined
          : expand(arg.value)
      declared.add(name)
      if (value !== undefined) values.set(name, value)
    }
  }
  return { buildArgs, buildPlatform, targetPlatform, values, declared }
}

function predefined(build: Platform, target: Platform, stage: string): readonly [string, string][] {
  return [
    ['BUILDPLATFORM', formatPlatform(build)],
    ['BUILDOS', build.os],
    ['BUILDARCH', build.architecture],
    ['BUILDVARIANT', build.variant ?? ''],
    ['TARGETPLATFORM', formatPlatform(target)],
    ['TARGETOS', target.os],
    ['TARGETARCH', target.architecture],
    ['TARGETVARIANT', target.variant ?? ''],
    ['TARGETSTAGE', stage],
  ]
}

/** Runs `work`, which expands `word`. Errors get the word's place. */
export function expandAt(line: LogicalLine, word: Word, work: () => Expansion): Expansion {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error
    const shown = word.text.length > longestShown ? `${word.text.slice(0, longestShown)}…` : word.text
    throw evaluationError(line, `failed to process ${JSON.stringify(shown)}: ${error.message}`, word.offset, error)
  }
}

const longestShown = 200

/** An error in a Dockerfile that could be parsed. */
export function evaluationError(line: LogicalLine, problem: string, offset = 0, cause?: unknown): DockerfileError {
  return new DockerfileError(
    problem,
    { source: line.source, range: line.range, at: line.locate(offset) },
    { parsing: false, ...(cause === undefined ? {} : { cause }) },
  )
}

/** The proxies among the build arguments, as `KEY=value` lines for the environment of every RUN. Like BuildKit, gives
 *  each in upper and in lower case. They must not get into cache keys or the history. */
export function proxyEnvironment(buildArgs: Readonly<Record<string, string>>): readonly string[] {
  return proxyArguments.flatMap((name) => {
    const given = [name, otherCase(name)].find((one) => Object.hasOwn(buildArgs, one))
    return given === undefined ? [] : [`${name}=${buildArgs[given]}`]
  })
}

/** Some programs only read the lower-case name, some only the other. */
function otherCase(name: string): string {
  return name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase()
}

/** The user's build arguments that no ARG declares, in the global scope or among `instructions` (default: the whole
 *  file). Docker warns about them: "One or more build-args [a b] were not consumed". */
export function unusedBuildArgs(
  dockerfile: Dockerfile,
  buildArgs: Readonly<Record<string, string>>,
  instructions: readonly Instruction[] = dockerfile.stages.flatMap((stage) => stage.instructions),
): readonly string[] {
  const used = new Set([...proxyArguments, ...platformArguments, ...builderArguments])
  for (const instruction of [...dockerfile.globalArgs, ...instructions]) {
    if (instruction.kind === 'ARG') for (const { name } of instruction.args) used.add(name)
  }
  return Object.keys(buildArgs).filter((name) => !used.has(name))
}
