/** `--call`: answers questions about a Dockerfile without building it.
 *  https://docs.docker.com/reference/cli/docker/buildx/build/#call */
import type { BuildRequest, BuildWarningEvent } from '../../api/index.ts'
import { isBerthError } from '../../base/index.ts'
import {
  type CheckWarning,
  checkDockerfile,
  csvFields,
  type Dockerfile,
  DockerfileError,
  evaluateGlobals,
  type Outline,
  outlineOf,
  parseDockerfile,
  type TargetSummary,
  targetsOf,
} from '../../build/dockerfile/index.ts'
import { parsePlatform } from '../../oci/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext } from '../command/command.ts'
import { formatTable } from '../format/table.ts'
import { checkReport, describeError } from './build-report.ts'
import type { BuildOutcome } from './build-run.ts'
import type { DockerfileSource } from './context/dockerfile-source.ts'
import { QuietDisplay } from './progress/quiet-display.ts'

/** The inputs of an answer. */
export interface CallParts {
  readonly request: BuildRequest
  readonly dockerfile: DockerfileSource
  /** Asks the daemon, if it has files that the answer needs. */
  readonly run: (display: QuietDisplay, check: boolean) => Promise<BuildOutcome>
}

/** Prints the answer. Gives the exit code: 1 when the checks found something. */
export async function answerCall(cli: CliContext, call: string, parts: CallParts): Promise<number> {
  const { name, isJson } = parseCall(call)
  if (name === 'check') return await check(cli, parts, isJson)
  const { text, name: file } = parts.dockerfile
  if (text === undefined) throw new CliError(1, `ERROR: --call=${name} needs a local Dockerfile: name it with -f`)
  const dockerfile = located(() => parseDockerfile(text, { file }))
  const { request } = parts
  const answer = located(() =>
    name === 'targets' ? targetsOf(dockerfile) : outlineOf(dockerfile, request.targets[0]?.name, request.buildArgs),
  )
  cli.output.write(isJson ? `${JSON.stringify(answer, undefined, 2)}\n` : describeOutline(answer))
  return 0
}

function parseCall(value: string): { readonly name: string; readonly isJson: boolean } {
  const [first = '', ...options] = csvFields(value)
  const name = first.replace(/^(?:method=|subrequests\.)/, '')
  const known = name === 'lint' ? 'check' : name
  if (!['check', 'outline', 'targets'].includes(known)) {
    throw new CliError(
      1,
      `ERROR: invalid call ${JSON.stringify(value)}: expected one of build, check, outline, targets`,
    )
  }
  for (const option of options) {
    if (option !== 'format=json' && option !== 'format=text')
      throw new CliError(1, `ERROR: invalid option ${option} of --call`)
  }
  return { name: known, isJson: options.includes('format=json') }
}

async function check(
  { output }: CliContext,
  { dockerfile, request, run }: CallParts,
  isJson: boolean,
): Promise<number> {
  const { text, name: file, ignore } = dockerfile
  let warnings: readonly BuildWarningEvent[]
  if (text === undefined) {
    const outcome = await run(new QuietDisplay(nowhere), true)
    if (outcome.error !== undefined) throw new CliError(1, describeError(outcome.error))
    warnings = outcome.warnings
  } else {
    const parsed = located(() => parseDockerfile(text, { file }))
    warnings = located(() => checkDockerfile(parsed, { scope: scopeOf(parsed, request), ignore }).warnings.map(toEvent))
  }
  output.write(isJson ? `${JSON.stringify({ warnings }, undefined, 2)}\n` : checkReport(warnings))
  return warnings.length === 0 ? 0 : 1
}

const nowhere = { isTerminal: false, columns: 80, rows: 24, write: () => undefined }

function scopeOf(dockerfile: Dockerfile, { buildArgs, platforms, targets }: BuildRequest) {
  const [platform] = platforms ?? []
  const target = targets[0]?.name
  return evaluateGlobals(dockerfile, {
    buildArgs,
    ...(platform === undefined ? {} : { targetPlatform: parsePlatform(platform) }),
    ...(target === undefined ? {} : { target }),
  })
}

function toEvent({ rule, message, description, url, file, range, at, excerpt }: CheckWarning): BuildWarningEvent {
  return {
    type: 'warning',
    rule,
    message,
    description,
    url,
    file,
    line: range.start.line,
    column: at.column,
    excerpt,
  }
}

/** Adds the lines of the Dockerfile to an error, as a build does. */
function located<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DockerfileError))
      throw isBerthError(error) ? new CliError(1, `ERROR: ${error.message}`) : error
    const { message, file, at, excerpt } = error
    throw new CliError(
      1,
      describeError({ type: 'error', message, kind: 'invalidArgument', file, line: at.line, excerpt }),
    )
  }
}

/** The output of `--call=outline` and `--call=targets` in readable form. */
function describeOutline(answer: readonly TargetSummary[] | Outline): string {
  if (!('args' in answer)) {
    const rows = answer.map((one) => [`${one.name}${one.default ? ' (default)' : ''}`.trim(), one.description])
    return formatTable([['TARGET', 'DESCRIPTION'], ...rows])
  }
  const parts = [`TARGET: ${answer.target}\n`]
  if (answer.args.length > 0) {
    const rows = answer.args.map(({ name, value, description }) => [name, value, description])
    parts.push(formatTable([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...rows]))
  }
  const wanted = (title: string, list: Outline['secrets']) => {
    if (list.length === 0) return
    parts.push(formatTable([[title, 'REQUIRED'], ...list.map(({ id, required }) => [id, String(required)])]))
  }
  wanted('SECRET', answer.secrets)
  wanted('SSH', answer.ssh)
  return parts.join('\n')
}
