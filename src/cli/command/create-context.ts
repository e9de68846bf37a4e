/** Makes the context of commands: settings from flags and environment, and the client. */
import { internal, invalidArgument, messageOf } from '../../base/index.ts'
import { type Endpoint, EngineClient, parseEndpoint } from '../../client/index.ts'
import { type ClientSettings, defaultHost, loadClientSettings } from '../../config/client/index.ts'
import type { FlagValues } from '../flags/flag-values.ts'
import { StandardInput } from '../terminal/input.ts'
import type { Output } from '../terminal/output.ts'
import type { CliContext } from './command.ts'
import type { MainOptions } from './main-options.ts'

/** Makes a context. `close` closes the client's connections. Throws `invalidArgument` for contradictory settings. */
export function createContext(
  commandPath: string,
  globals: FlagValues,
  { output, errors }: { readonly output: Output; readonly errors: Output },
  options: MainOptions,
): { readonly context: CliContext; readonly close: () => void } {
  const settings = settingsOf(globals, { ...options, errors })
  let client: EngineClient | undefined
  const context: CliContext = {
    commandPath,
    // Lazy, because only commands that call the daemon need its address.
    get client() {
      return (client ??= openClient(settings, options))
    },
    settings,
    output,
    errors,
    runProgram: options.runProgram ?? noPrograms,
    input: options.input ?? new StandardInput(options.makeTerminalRaw),
    now: () => new Date(),
  }
  return { context, close: () => client?.close() }
}

/** Combines the flags before the command, the environment and the client's file. Throws `invalidArgument` for
 *  contradictory settings. */
export function settingsOf(
  globals: FlagValues,
  { environment, errors }: Pick<MainOptions, 'environment' | 'errors'>,
): ClientSettings {
  const flags = {
    configDir: globals.string('config'),
    hosts: globals.list('host'),
    context: globals.string('context'),
    tls: globals.bool('tls'),
    tlsVerify: globals.has('tlsverify') ? globals.bool('tlsverify') : undefined,
    tlsCaPath: globals.string('tlscacert'),
    tlsCertificatePath: globals.string('tlscert'),
    tlsKeyPath: globals.string('tlskey'),
  }
  return loadClientSettings(flags, environment, (message) => errors?.write(`${message}\n`))
}

function chosenDaemon(settings: ClientSettings): ReturnType<ClientSettings['daemon']> {
  try {
    return settings.daemon()
  } catch (error) {
    throw invalidArgument(`Failed to initialize: unable to resolve docker endpoint: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

function endpointOf(host: string, tls: boolean): Endpoint {
  try {
    return parseEndpoint(host, { tls })
  } catch (error) {
    throw invalidArgument(`Failed to initialize: unable to resolve docker endpoint: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function noPrograms(program: string): Promise<never> {
  throw internal(`this program cannot start ${program}`)
}

function openClient(settings: ClientSettings, { onNoDaemon, openTunnel }: MainOptions): EngineClient {
  const { host, isDefaultHost, tls } = chosenDaemon(settings)
  const { apiVersion } = settings
  const { HttpHeaders: headers } = settings.file()
  return new EngineClient({
    endpoint: endpointOf(host, tls !== undefined),
    tls,
    apiVersion,
    userAgent: 'Berth-Client',
    headers,
    openTunnel,
    ...(isDefaultHost && onNoDaemon !== undefined
      ? { onUnreachable: () => onNoDaemon(defaultHost.replace('unix://', '')) }
      : {}),
  })
}
