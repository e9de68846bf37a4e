import { messageOf } from '../../base/index.ts'
import { CliError } from '../command/cli-error.ts'
import type { CliContext, Command } from '../command/command.ts'
import { refuseContentTrust } from '../command/content-trust.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { fs } from '../terminal/builtins.ts'
import { buildFlags } from './build-flags.ts'
import { describeError, explainReport, warningSummary } from './build-report.ts'
import { planBuild } from './build-request.ts'
import { type BuildOutcome, runBuild } from './build-run.ts'
import { answerCall } from './call.ts'
import { resolveContext } from './context/context-source.ts'
import { ignoreRulesOf, readDockerfile } from './context/dockerfile-source.ts'
import { parseOutputs } from './output-options.ts'
import { openDisplay } from './progress/open-display.ts'
import { writeIdFile, writeMetadataFile } from './result-files.ts'

export const command: Command = {
  usage: '[OPTIONS] PATH | URL | -',
  operands: { min: 1, max: 1 },
  flags: buildFlags,
  async run(cli, flags, [operand = '']) {
    refuseContentTrust(cli.settings, flags)
    const call = callOf(flags)
    // Otherwise a failed build would leave the id of an earlier one in the file.
    const iidFile = flags.string('iidfile')
    if (iidFile !== '') fs.rmSync(iidFile, { force: true })
    const context = await resolveContext(operand, cli.input)
    const dockerfile = await readDockerfile(flags.string('file'), context, cli.input)
    const outputs = parseOutputs(flags, { isTerminal: cli.output.isTerminal })
    const { request, ...planned } = planBuild(cli, flags, { context, dockerfile, outputs })
    const tar = context.kind === 'tar' ? context.chunks : undefined
    const ignore = new Map([...planned.directories].map(([name, directory]) => [name, ignoreRulesOf(name, directory)]))
    ignore.set('context', dockerfile.ignore)
    const run = (display: ReturnType<typeof openDisplay>, check: boolean) =>
      runBuild(cli, { ...request, check }, { ...planned, ignore, tar, display })
    if (call !== 'build') return await answerCall(cli, call, { request, dockerfile, run })
    const outcome = await run(openDisplay(cli, flags), false)
    return conclude(
      cli,
      flags,
      outcome,
      request.targets.map(({ name }) => name),
    )
  },
}

function callOf(flags: FlagValues): string {
  const call = flags.string('call', 'build') || 'build'
  if (!flags.bool('check')) return call
  if (call !== 'build' && !call.startsWith('check'))
    throw new CliError(1, 'ERROR: --check and --call cannot be used together')
  return call === 'build' ? 'check' : call
}

/** Prints how the build ended, and writes the files that the user asked for. Gives the exit code. */
function conclude(
  { output, errors, settings }: CliContext,
  flags: FlagValues,
  { targets, warnings, explanations, error, failure }: BuildOutcome,
  names: readonly (string | undefined)[],
): number {
  const isQuiet = flags.bool('quiet')
  const isForPeople = !isQuiet && flags.string('progress') !== 'rawjson'
  if (isForPeople) errors.write(warningSummary(warnings))
  if (flags.bool('explain')) errors.write(explainReport(explanations))
  if (error !== undefined) throw new CliError(1, describeError(error))
  if (failure !== undefined) throw new CliError(1, `ERROR: failed to build: ${messageOf(failure)}`)
  const iidFile = flags.string('iidfile')
  if (iidFile !== '') writeIdFile(iidFile, targets)
  const metadataFile = flags.string('metadata-file')
  if (metadataFile !== '') writeMetadataFile(metadataFile, targets, names, settings.environment)
  if (isQuiet) for (const { id } of targets) if (id !== '') output.write(`${id}\n`)
  return 0
}
