/** `--build-context NAME=…`: directories and layouts on the client's side, images, addresses, stages.
 *  https://docs.docker.com/reference/cli/docker/buildx/build/#build-context */
import type { NamedBuildContext } from '../../../api/index.ts'
import { CliError } from '../../command/cli-error.ts'
import { contextKey, existingDirectory, remoteUrl } from './context-source.ts'

/** The named contexts of a build. */
export interface NamedContextOptions {
  readonly contexts: Readonly<Record<string, NamedBuildContext>> | undefined
  /** The directories on the client's side, by name. */
  readonly directories: readonly (readonly [string, string])[]
}

/** Parses the values. Throws for a value without a name, and for a directory that does not exist. */
export function namedContexts(values: readonly string[]): NamedContextOptions {
  const contexts: Record<string, NamedBuildContext> = {}
  const directories: (readonly [string, string])[] = []
  for (const value of values) {
    const equals = value.indexOf('=')
    const [name, place] = equals === -1 ? ['', ''] : [value.slice(0, equals), value.slice(equals + 1)]
    if (name === '' || place === '') {
      throw new CliError(1, `ERROR: invalid context value: ${value}, expected key=value`)
    }
    const { context, directory } = parsePlace(place)
    contexts[name] = context
    if (directory !== undefined) directories.push([name, directory])
  }
  return { contexts: values.length === 0 ? undefined : contexts, directories }
}

function parsePlace(place: string): { readonly context: NamedBuildContext; readonly directory?: string } {
  const [, scheme = '', rest = ''] = /^(docker-image|oci-layout|target):(?:\/\/)?(.+)$/.exec(place) ?? []
  if (scheme === 'docker-image') return { context: { kind: 'image', reference: rest } }
  if (scheme === 'target') return { context: { kind: 'stage', stage: rest } }
  if (scheme === 'oci-layout') {
    const { path, ...wanted } = parseLayout(rest)
    return { context: { kind: 'layout', ...wanted }, directory: existingDirectory(path) }
  }
  const url = remoteUrl(place)
  if (url !== undefined) return { context: { kind: 'remote', url } }
  const directory = existingDirectory(place)
  return { context: { kind: 'local', key: contextKey(directory) }, directory }
}

/** Parses `path[:tag][@digest]`. */
function parseLayout(text: string): { readonly path: string; readonly tag: string; readonly digest?: string } {
  const [, before = text, digest] = /^(.*)@(sha(?:256|512):[0-9a-f]+)$/.exec(text) ?? []
  const [, path = before, tag = 'latest'] = /^(.*):([\w][\w.-]{0,127})$/.exec(before) ?? []
  return { path, tag, ...(digest === undefined ? {} : { digest }) }
}
