/** Builds given as LLB, BuildKit's graph of operations. Berth supports graphs of a single source, which is what clients
 *  use to fetch something through a builder (`build -f URL`, `bake` with an address). Such a graph is translated into a
 *  Dockerfile. https://github.com/moby/buildkit/blob/master/solver/pb/ops.proto */
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { invalidArgument, notImplemented } from '../../../base/index.ts'
import { digestOf } from '../../../oci/index.ts'
import { type Definition, DefinitionSchema, type Op, OpSchema, type Platform } from '../gen/pb_pb.ts'

/** The build that replaces an LLB graph. */
export interface LlbBuild {
  /** The name that progress shows for its step. */
  readonly name: string
  readonly dockerfile: string
  /** Options of the Dockerfile frontend. */
  readonly attrs: Readonly<Record<string, string>>
  /** Patterns that the client leaves out of a directory, by the directory's name. */
  readonly excludes: ReadonlyMap<string, readonly string[]>
}

type Source = NonNullable<Op['source']>
type Result = Pick<LlbBuild, 'dockerfile'> & Partial<LlbBuild>

const customName = 'llb.customname'

/** Translates an LLB definition. Throws `notImplemented` for other operations and sources, named in the message,
 *  `invalidArgument` for an invalid definition. */
export function llbBuild(definition: Definition): LlbBuild {
  const { op, digest } = rootOf(definition)
  if (op.source === undefined) throw notImplemented(unbuilt(`LLB's ${nameOf(op)}`))
  const name = definition.metadata[digest]?.description[customName] ?? op.source.identifier
  return { name, attrs: {}, excludes: new Map(), ...sourceBuild(op.source, op.platform) }
}

/** Makes an LLB definition of a single source. */
export function sourceDefinition(
  identifier: string,
  attrs: Readonly<Record<string, string>>,
  platform: Platform | undefined,
): Definition {
  const op = { source: { identifier, attrs: { ...attrs } }, ...(platform === undefined ? {} : { platform }) }
  const source = toBinary(OpSchema, create(OpSchema, op))
  const end = toBinary(OpSchema, create(OpSchema, { inputs: [{ digest: digestOf(Buffer.from(source)), index: 0n }] }))
  return create(DefinitionSchema, { def: [source, end] })
}

/** Finds the root operation. The last entry of a definition is no operation; its input refers to the root. */
function rootOf({ def }: Definition): { readonly op: Op; readonly digest: string } {
  const ops = new Map(def.map((bytes) => [digestOf(Buffer.from(bytes)) as string, fromBinary(OpSchema, bytes)]))
  const [input] = [...ops.values()].at(-1)?.inputs ?? []
  const op = input === undefined ? undefined : ops.get(input.digest)
  if (input === undefined || op === undefined)
    throw invalidArgument('invalid LLB definition: its last operation points to none')
  return { op, digest: input.digest }
}

function nameOf(op: Op): string {
  const kinds = { exec: 'ExecOp', file: 'FileOp', build: 'BuildOp', merge: 'MergeOp', diff: 'DiffOp' } as const
  for (const [member, name] of Object.entries(kinds)) if (op[member as keyof typeof kinds].length > 0) return name
  return 'operation of an unknown kind'
}

function sourceBuild({ identifier, attrs }: Source, platform: Platform | undefined): Result {
  const [, scheme = '', rest = ''] = /^([a-z-]+):\/\/(.*)$/s.exec(identifier) ?? []
  switch (scheme) {
    case 'docker-image':
      checkAttributes(scheme, attrs, ['image.resolvemode', 'image.recordtype'])
      return {
        dockerfile: `FROM ${platformFlag(platform)}${word(rest)}\n`,
        ...(attrs['image.resolvemode'] === 'pull' ? { attrs: { 'image-resolve-mode': 'pull' } } : {}),
      }
    case 'http':
    case 'https':
      return { dockerfile: httpDockerfile(identifier, attrs) }
    case 'git':
      return { dockerfile: gitDockerfile(rest, attrs) }
    case 'local': {
      const known = ['local.session', 'local.unique', 'local.sharedkeyhint', 'local.excludepatterns', 'local.differ']
      checkAttributes(scheme, attrs, known)
      return {
        dockerfile: 'FROM scratch\nCOPY --from=llb-local . /\n',
        attrs: { 'context:llb-local': `local:${rest}` },
        excludes: new Map([[rest, listOf(attrs['local.excludepatterns'])]]),
      }
    }
    case 'oci-layout': {
      checkAttributes(scheme, attrs, ['oci.store', 'oci.session'])
      const [name = '', digest = ''] = rest.split('@')
      return {
        dockerfile: `FROM ${platformFlag(platform)}llb-layout\n`,
        attrs: { 'context:llb-layout': `oci-layout://${attrs['oci.store'] ?? name}@${digest}` },
      }
    }
    default:
      throw notImplemented(unbuilt(`LLB's source ${JSON.stringify(identifier)}`))
  }
}

function httpDockerfile(url: string, attrs: Source['attrs']): string {
  const known = ['http.checksum', 'http.filename', 'http.perm', 'http.uid', 'http.gid']
  checkAttributes('http', attrs, known)
  const { 'http.checksum': checksum, 'http.perm': mode, 'http.uid': uid = '0', 'http.gid': gid = '0' } = attrs
  const name = attrs['http.filename'] || decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '') || 'download'
  if (name.includes('/')) throw invalidArgument(`invalid http.filename ${JSON.stringify(name)}`)
  const flags = [
    '--unpack=false',
    `--chown=${word(uid)}:${word(gid)}`,
    // BuildKit's default mode.
    `--chmod=${mode === undefined ? '600' : Number(mode).toString(8)}`,
    ...(checksum === undefined ? [] : [`--checksum=${word(checksum)}`]),
  ]
  return `FROM scratch\nADD ${flags.join(' ')} ${paths(url, `/${name}`)}\n`
}

/** `rest` is the address without its scheme, followed by `#REF:DIRECTORY`. Clients also send the full address as an
 *  attribute. */
function gitDockerfile(rest: string, attrs: Source['attrs']): string {
  checkAttributes('git', attrs, [
    'git.fullurl',
    'git.keepgitdir',
    'git.authtokensecret',
    'git.authheadersecret',
    'git.mountsshsock',
  ])
  const hash = rest.indexOf('#')
  const fragment = hash === -1 ? '' : rest.slice(hash)
  const address = attrs['git.fullurl'] ?? `git://${hash === -1 ? rest : rest.slice(0, hash)}`
  const keep = attrs['git.keepgitdir'] === 'true' ? '--keep-git-dir=true ' : ''
  // ADD recognizes this as a repository.
  const isKnown = /^(?:git|ssh):\/\//.test(address) || !/^https?:/.test(address) || /\.git\/?$/.test(address)
  return `FROM scratch\nADD ${keep}${paths(`${address}${isKnown ? '' : '.git'}${fragment}`, '/')}\n`
}

function checkAttributes(scheme: string, attrs: Source['attrs'], known: readonly string[]): void {
  for (const name of Object.keys(attrs))
    if (!known.includes(name)) throw notImplemented(unbuilt(`attribute ${name} of LLB's source ${scheme}`))
}

function platformFlag(platform: Platform | undefined): string {
  if (platform === undefined || platform.os === '') return ''
  const { os, architecture, variant } = platform
  return `--platform=${word([os, architecture, ...(variant === '' ? [] : [variant])].join('/'))} `
}

/** Checks that the text is a single literal word of a Dockerfile. */
function word(text: string): string {
  if (!/^[\w./:@+-]+$/.test(text)) throw invalidArgument(`invalid LLB: ${JSON.stringify(text)}`)
  return text
}

/** Formats paths as a JSON list, which allows spaces. Escapes variables. */
function paths(...all: readonly string[]): string {
  return JSON.stringify(all.map((path) => path.replace(/[$\\]/g, '\\$&')))
}

function listOf(json: string | undefined): readonly string[] {
  if (json === undefined) return []
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw invalidArgument(`invalid list ${json} in LLB`, { cause })
  }
  if (!Array.isArray(value)) throw invalidArgument(`invalid list ${json} in LLB`)
  return value.map(String)
}

function unbuilt(what: string): string {
  return `${what} is not implemented in this version of Berth`
}
