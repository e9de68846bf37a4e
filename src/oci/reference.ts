/** References: the names that users type, `[registry/]repository[:tag][@digest]`, parsed, completed and shortened as
 *  Docker does. Grammar: https://github.com/distribution/reference */
import { invalidArgument } from '../base/index.ts'
import { type Digest, parseDigest } from './digest.ts'

/** A reference in its full form: `docker.io/library/busybox`, never `busybox`. */
export interface Reference {
  readonly registry: string
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

/** The registry of a name without one. */
export const defaultRegistry = 'docker.io'
/** The tag of a name without tag and digest. */
export const defaultTag = 'latest'

const officialPrefix = 'library/'
const maxRepositoryLength = 255

const domainLabel = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const domain = `(?:${domainLabel}(?:\\.${domainLabel})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const pathPattern = `${component}(?:/${component})*`
const tagPattern = '[\\w][\\w.-]{0,127}'
const digestPattern = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}'
const fullPattern = new RegExp(`^(?:(${domain})/)?(${pathPattern})(?::(${tagPattern}))?(?:@(${digestPattern}))?$`)
const onlyTag = new RegExp(`^${tagPattern}$`)

/** Parses the text that a user typed. Adds no tag; `withDefaultTag` does.
 *  Throws `invalidArgument` with Docker's texts. */
export function parseReference(text: string): Reference {
  if (/^[a-f0-9]{64}$/.test(text)) {
    throw invalidArgument(`invalid repository name (${text}), cannot specify 64-byte hexadecimal strings`)
  }
  const [registry, rest] = splitRegistry(text)
  const colon = rest.indexOf(':')
  const name = colon === -1 ? rest : rest.slice(0, colon)
  if (name.toLowerCase() !== name) {
    throw invalidArgument(`invalid reference format: repository name (${name}) must be lowercase`)
  }
  const match = fullPattern.exec(`${registry}/${rest}`)
  const repository = match?.[2]
  if (match === null || repository === undefined) throw invalidArgument('invalid reference format')
  if (repository.length > maxRepositoryLength) {
    throw invalidArgument(`repository name must not be more than ${maxRepositoryLength} characters`)
  }
  return {
    registry: match[1] ?? registry,
    repository,
    ...(match[3] === undefined ? {} : { tag: match[3] }),
    ...(match[4] === undefined ? {} : { digest: parseDigest(match[4]) }),
  }
}

/** Adds the tag `latest` to a reference without tag and digest. */
export function withDefaultTag(reference: Reference): Reference {
  if (reference.tag !== undefined || reference.digest !== undefined) return reference
  return { ...reference, tag: defaultTag }
}

/** The same repository with another tag and no digest. Throws `invalidArgument` for a malformed tag. */
export function withTag(reference: Reference, tag: string): Reference {
  if (!onlyTag.test(tag)) throw invalidArgument('invalid tag format')
  return { registry: reference.registry, repository: reference.repository, tag }
}

/** The same repository with a digest and no tag. */
export function withDigest(reference: Reference, digest: Digest): Reference {
  return { registry: reference.registry, repository: reference.repository, digest }
}

/** The full form: `docker.io/library/busybox:latest`. */
export function formatReference(reference: Reference): string {
  return `${reference.registry}/${reference.repository}${suffixOf(reference)}`
}

/** The short form that Docker shows: `busybox:latest`, `127.0.0.1:5000/a/b@sha256:…`. */
export function familiarReference(reference: Reference): string {
  return familiarName(reference) + suffixOf(reference)
}

/** The short form without tag or digest: `busybox`. */
export function familiarName({ registry, repository }: Reference): string {
  if (registry !== defaultRegistry) return `${registry}/${repository}`
  const rest = repository.startsWith(officialPrefix) ? repository.slice(officialPrefix.length) : repository
  // `docker.io/library/a/b` must not become `a/b`, which is another image.
  return rest.includes('/') ? repository : rest
}

function suffixOf({ tag, digest }: Reference): string {
  return (tag === undefined ? '' : `:${tag}`) + (digest === undefined ? '' : `@${digest}`)
}

/** Splits off the registry. A first part is a registry if it is `localhost` or has a dot, a colon or upper case. */
function splitRegistry(text: string): [registry: string, rest: string] {
  const slash = text.indexOf('/')
  const first = text.slice(0, slash)
  let registry = defaultRegistry
  let rest = text
  if (slash !== -1 && (/[.:]/.test(first) || first === 'localhost' || first.toLowerCase() !== first)) {
    registry = first === 'index.docker.io' ? defaultRegistry : first
    rest = text.slice(slash + 1)
  }
  if (registry === defaultRegistry && !rest.includes('/')) rest = officialPrefix + rest
  return [registry, rest]
}
