import type { SystemVersion, VersionComponent } from '../../api/index.ts'
import { maxApiVersion } from '../../api/index.ts'
import { BerthError, messageOf } from '../../base/index.ts'
import { ExecutionError, GoStruct, GoTemplate, goJson, NilPointer } from '../../template/index.ts'
import { CliError } from '../command/cli-error.ts'
import { clientVersion } from '../command/client-version.ts'
import type { CliContext, Command } from '../command/command.ts'
import { formatFlag } from '../command/list-flags.ts'
import { toGoStructs } from '../format/inspect-value.ts'
import { ansiTime } from '../format/times.ts'
import type { Output } from '../terminal/output.ts'

export const command: Command = {
  usage: '[OPTIONS]',
  operands: { min: 0, max: 0 },
  flags: [formatFlag],
  async run(context, flags) {
    const { output } = context
    const format = flags.string('format')
    const template = format === '' || format === 'json' ? undefined : parseTemplate(format)
    const client = clientInfo(context)
    const { server, error } = await serverVersion(context)
    const data = versionValue(client, server)
    if (format === 'json') output.write(`${goJson(data)}\n`)
    else if (template === undefined) output.write(versionText(client, server))
    else printTemplate(output, template, data)
    if (error !== undefined) throw error
    return 0
  },
}

function parseTemplate(format: string): GoTemplate {
  try {
    return new GoTemplate(format, 'version')
  } catch (error) {
    throw new CliError(64, `template parsing error: ${messageOf(error)}`)
  }
}

/** The answer with the Go types that messages name. */
function versionValue(client: ClientInfo, server: SystemVersion | undefined): GoStruct {
  const { BuildTime, ...rest } = server ?? { BuildTime: '' }
  const shown = server === undefined ? undefined : { ...rest, ...(BuildTime === '' ? {} : { BuildTime }) }
  return new GoStruct(
    'system.versionInfo',
    new Map([
      ['Client', toGoStructs(client, 'Client', '', 'system.clientVersion')],
      [
        'Server',
        shown === undefined ? new NilPointer('*types.Version') : toGoStructs(shown, 'Server', '', '*types.Version'),
      ],
    ]),
  )
}

/** Prints a template's result. If it fails, the output so far is printed as a line, as in docker. */
export function printTemplate(output: Output, template: GoTemplate, data: unknown): void {
  try {
    output.write(`${template.execute(data)}\n`)
  } catch (error) {
    if (error instanceof ExecutionError) output.write(`${error.output}\n`)
    throw error
  }
}

/** What `berth version` reports about the client. */
export interface ClientInfo {
  readonly Version: string
  readonly ApiVersion: string
  readonly DefaultAPIVersion: string
  readonly GoVersion: string
  readonly Os: string
  readonly Arch: string
  readonly Context: string
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** The client's part of the answer. */
export function clientInfo({ settings }: Pick<CliContext, 'settings'>): ClientInfo {
  return {
    Version: clientVersion(),
    ApiVersion: settings.apiVersion ?? maxApiVersion,
    DefaultAPIVersion: maxApiVersion,
    GoVersion: process.version,
    Os: 'linux',
    Arch: architectures[process.arch] ?? process.arch,
    Context: settings.contextName(),
  }
}

async function serverVersion({
  client,
}: CliContext): Promise<{ readonly server?: SystemVersion; readonly error?: BerthError }> {
  try {
    const { value } = await client.system.version()
    return { server: { ...value, Components: (value.Components ?? []).map(readableTime) } }
  } catch (error) {
    if (error instanceof BerthError) return { error }
    throw error
  }
}

function readableTime(component: VersionComponent): VersionComponent {
  const built = component.Details?.BuildTime
  if (built === undefined) return component
  return { ...component, Details: { ...component.Details, BuildTime: buildTime(built) } }
}

function buildTime(text: string): string {
  const time = new Date(text)
  return Number.isNaN(time.getTime()) ? text : ansiTime(time)
}

function clientApiVersion({ ApiVersion, DefaultAPIVersion }: ClientInfo): string {
  return ApiVersion === DefaultAPIVersion ? ApiVersion : `${ApiVersion} (downgraded from ${DefaultAPIVersion})`
}

function versionText(client: ClientInfo, server: SystemVersion | undefined): string {
  const lines = [
    'Client:',
    line(1, 'Version:', client.Version),
    line(1, 'API version:', clientApiVersion(client)),
    line(1, 'Node version:', client.GoVersion),
    line(1, 'OS/Arch:', `${client.Os}/${client.Arch}`),
    line(1, 'Context:', client.Context),
  ]
  if (server !== undefined) {
    const platform = server.Platform?.Name ?? ''
    lines.push('', platform === '' ? 'Server:' : `Server: ${platform}`)
    for (const component of server.Components) lines.push(...componentLines(component))
  }
  return `${lines.join('\n')}\n`
}

function line(depth: number, label: string, value: string): string {
  return `${' '.repeat(depth)}${label}`.padEnd(20) + value
}

function componentLines({ Name, Version, Details = {} }: VersionComponent): string[] {
  const lines = [` ${Name}:`, line(2, 'Version:', Version)]
  if (Name !== 'Engine') {
    const names = Object.keys(Details).toSorted()
    return [...lines, ...names.map((name) => line(2, `${name}:`, Details[name] ?? ''))]
  }
  const { ApiVersion, MinAPIVersion, GoVersion, GitCommit, BuildTime, Os, Arch, Experimental } = Details
  return [
    ...lines,
    line(2, 'API version:', `${ApiVersion} (minimum version ${MinAPIVersion})`),
    line(2, 'Node version:', GoVersion ?? ''),
    line(2, 'Git commit:', GitCommit ?? ''),
    line(2, 'Built:', BuildTime ?? ''),
    line(2, 'OS/Arch:', `${Os}/${Arch}`),
    line(2, 'Experimental:', Experimental ?? 'false'),
  ]
}
