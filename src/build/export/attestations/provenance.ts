/** SLSA provenance of an image: what it was built from, with which parameters, and when. The parameters have BuildKit's
 *  form, so tools that read BuildKit's provenance can read this. https://slsa.dev/spec/v0.2/provenance
 *  https://slsa.dev/spec/v1.0/provenance */
import type { BuildRequest } from '../../../api/index.ts'
import { invalidArgument } from '../../../base/index.ts'
import {
  familiarName,
  formatPlatform,
  hostPlatform,
  type Platform,
  parseReference,
  withDefaultTag,
} from '../../../oci/index.ts'
import type { BuildMaterial, BuiltImage } from '../../model/built-image.ts'
import type { Attestation } from './attestation-manifest.ts'

/** The facts that provenance states. */
export interface ProvenanceFacts {
  readonly request: BuildRequest
  readonly image: Pick<BuiltImage, 'platform' | 'materials' | 'stage'>
  readonly buildId: string
  /** Times are RFC 3339. */
  readonly started: string
  readonly finished: string
}

interface ProvenanceOptions {
  readonly mode: 'min' | 'max'
  readonly version: 'v0.2' | 'v1'
  readonly builderId: string
  readonly invocationId: string | undefined
  readonly reproducible: boolean
}

/** Identifies the form of the parameters below. */
const buildType = 'https://mobyproject.org/buildkit@v1'

/** Makes the statement's predicate. Throws `invalidArgument` for unknown attributes. */
export function provenanceOf(attrs: Readonly<Record<string, string>>, facts: ProvenanceFacts): Attestation {
  const options = parseOptions(attrs)
  return options.version === 'v1' ? versionOne(options, facts) : versionZero(options, facts)
}

function parseOptions(attrs: Readonly<Record<string, string>>): ProvenanceOptions {
  const known = ['mode', 'version', 'builder-id', 'reproducible', 'inline-only', 'invocation-id', 'filename']
  for (const name of Object.keys(attrs)) {
    if (!known.includes(name)) throw invalidArgument(`unknown attribute ${JSON.stringify(name)} of provenance`)
  }
  const { mode = 'min', version = 'v0.2', 'builder-id': builderId = '', 'invocation-id': invocationId } = attrs
  if (mode !== 'min' && mode !== 'max') throw invalidArgument(`invalid mode ${JSON.stringify(mode)}`)
  if (version !== 'v0.2' && version !== 'v1')
    throw invalidArgument(`unsupported provenance version ${JSON.stringify(version)}`)
  return { mode, version, builderId, invocationId, reproducible: attrs.reproducible === 'true' }
}

function versionZero(
  { mode, builderId, invocationId, reproducible }: ProvenanceOptions,
  facts: ProvenanceFacts,
): Attestation {
  const { request, image, buildId, started, finished } = facts
  return {
    predicateType: 'https://slsa.dev/provenance/v0.2',
    predicate: {
      builder: { id: builderId },
      buildType,
      materials: image.materials.map((material) => materialOf(material, image.platform)),
      invocation: {
        configSource: configSource(request),
        parameters: parametersOf(mode, facts),
        environment: { platform: formatPlatform(hostPlatform()) },
      },
      metadata: {
        buildInvocationID: invocationId ?? buildId,
        buildStartedOn: started,
        buildFinishedOn: finished,
        completeness: { parameters: mode === 'max', environment: true, materials: isComplete(request) },
        reproducible,
        ...(mode === 'max' ? { [`${buildType}#metadata`]: sourceOf(request) } : {}),
      },
    },
  }
}

function versionOne(
  { mode, builderId, invocationId, reproducible }: ProvenanceOptions,
  facts: ProvenanceFacts,
): Attestation {
  const { request, image, buildId, started, finished } = facts
  return {
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md',
        externalParameters: { configSource: configSourceOne(request), request: parametersOf(mode, facts) },
        internalParameters: { builderPlatform: formatPlatform(hostPlatform()) },
        resolvedDependencies: image.materials.map((material) => materialOf(material, image.platform)),
      },
      runDetails: {
        builder: { id: builderId },
        metadata: {
          invocationId: invocationId ?? buildId,
          startedOn: started,
          finishedOn: finished,
          buildkit_completeness: { request: mode === 'max', resolvedDependencies: isComplete(request) },
          buildkit_reproducible: reproducible,
          ...(mode === 'max' ? { buildkit_metadata: sourceOf(request) } : {}),
        },
      },
    },
  }
}

/** True when all inputs have an address. Files of a client's directory have none. */
function isComplete({ context, namedContexts = {} }: BuildRequest): boolean {
  const all = [context, ...Object.values(namedContexts)]
  return all.every(({ kind }) => kind !== 'local' && kind !== 'tar')
}

function configSource(request: BuildRequest): object {
  const { context, dockerfileName } = request
  return context.kind === 'remote'
    ? { uri: withoutCredentials(context.url), entryPoint: dockerfileName }
    : { entryPoint: dockerfileName }
}

function configSourceOne(request: BuildRequest): object {
  const { context, dockerfileName } = request
  return context.kind === 'remote'
    ? { uri: withoutCredentials(context.url), path: dockerfileName }
    : { path: dockerfileName }
}

/** The parameters of the build. `min` leaves out values from users, such as build arguments, which may be
 *  confidential. */
function parametersOf(mode: 'min' | 'max', { request, image }: ProvenanceFacts): object {
  const { buildArgs, labels, noCache, context, namedContexts = {}, secrets, ssh } = request
  const target = image.stage ?? request.targets[0]?.name
  const given: Record<string, string> = {
    ...Object.fromEntries(Object.entries(buildArgs).map(([name, value]) => [`build-arg:${name}`, value])),
    ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:${name}`, value])),
    ...(noCache ? { 'no-cache': '' } : {}),
    ...(target === undefined ? {} : { target }),
  }
  const locals = [
    ...(context.kind === 'local' ? [{ name: 'context' }, { name: 'dockerfile' }] : []),
    ...Object.entries(namedContexts).flatMap(([name, { kind }]) =>
      kind === 'local' ? [{ name: `context:${name}` }] : [],
    ),
  ]
  return {
    frontend: 'dockerfile.v0',
    ...(mode === 'max' && Object.keys(given).length > 0 ? { args: given } : {}),
    ...(locals.length === 0 ? {} : { locals }),
    ...(mode === 'max' && secrets.length > 0 ? { secrets: secrets.map(({ id }) => ({ id, optional: true })) } : {}),
    ...(mode === 'max' && ssh.length > 0 ? { ssh: ssh.map(({ id }) => ({ id, optional: true })) } : {}),
  }
}

function sourceOf({ dockerfile, dockerfileName }: BuildRequest): object {
  if (dockerfile === undefined) return {}
  const info = { filename: dockerfileName, language: 'Dockerfile', data: Buffer.from(dockerfile).toString('base64') }
  return { source: { infos: [info] } }
}

/** An input as a package URL (`pkg:docker/debian@12?platform=linux%2Famd64`), a git address or a URL.
 *  https://github.com/package-url/purl-spec */
function materialOf({ kind, uri, digest, platform: own }: BuildMaterial, platform: Platform): object {
  const [algorithm = '', hex = ''] = digest?.split(':') ?? []
  const known = digest === undefined ? {} : { digest: hex === '' ? { sha1: algorithm } : { [algorithm]: hex } }
  if (kind !== 'image') return { uri: withoutCredentials(uri), ...known }
  return { uri: imagePackageUrl(uri, own ?? platform), ...known }
}

/** The package URL of an image's name. */
export function imagePackageUrl(name: string, platform: Platform): string {
  const reference = withDefaultTag(parseReference(name))
  const version = reference.tag ?? reference.digest ?? ''
  const path = familiarName(reference).split('/').map(encodeURIComponent).join('/')
  return `pkg:docker/${path}@${encodeURIComponent(version)}?platform=${encodeURIComponent(formatPlatform(platform))}`
}

function withoutCredentials(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}
