/** Names of the daemon's objects, and of the contexts and registries in the configuration. */
import type { ContainerSummary, ImageSummary } from '../../api/index.ts'
import { shortId } from '../../base/index.ts'
import { ContextStore } from '../../config/client/index.ts'
import type { Candidate, CompletionPoint, Source } from './candidate.ts'

/** Containers in these states; without arguments, all. Those that are operands already are not offered again. */
export function containers(...states: readonly string[]): Source {
  return async ({ client, word, operands }) => {
    const filters = states.length === 0 ? {} : { status: [...states] }
    const found = await client.containers.list({ all: true, filters })
    return found.flatMap((container) => namesOf(container, word)).filter(({ value }) => !operands.includes(value))
  }
}

/** Running containers. */
export const running = containers('running')
/** Containers that do not run. */
export const stopped = containers('created', 'exited')

/** The name of a container, and its id if the word looks like one. */
function namesOf({ Names, Id, Image, State }: ContainerSummary, word: string): Candidate[] {
  const description = `${State}, ${Image}`
  const names = Names.map((name) => ({ value: name.replace(/^\//, ''), description }))
  return word !== '' && Id.startsWith(word) ? [...names, { value: shortId(Id), description }] : names
}

/** Images, under all their names. */
export const images: Source = async ({ client, word }) =>
  (await client.images.list()).flatMap((image) => imageNames(image, word))

function imageNames({ RepoTags, Id }: ImageSummary, word: string): Candidate[] {
  const id = shortId(Id)
  const tags = (RepoTags ?? []).filter((tag) => tag !== '<none>:<none>')
  const names = tags.map((value) => ({ value, description: id }))
  // The tag `latest` may be left out.
  const bare = tags
    .filter((tag) => tag.endsWith(':latest'))
    .map((tag) => ({ value: tag.slice(0, -':latest'.length), description: id }))
  return word !== '' && id.startsWith(word) ? [...names, ...bare, { value: id }] : [...bare, ...names]
}

/** Networks. */
export const networks: Source = async ({ client, operands }) =>
  (await client.networks.list())
    .map(({ Name, Driver }) => ({ value: Name, description: Driver }))
    .filter(({ value }) => !operands.includes(value))

/** Networks that the daemon did not create itself. */
export const ownNetworks: Source = async (point) =>
  (await networks(point)).filter(({ value }) => !['bridge', 'host', 'none'].includes(value))

/** Volumes. */
export const volumes: Source = async ({ client, operands }) =>
  ((await client.volumes.list()).Volumes ?? [])
    .map(({ Name, Driver }) => ({ value: Name, description: Driver }))
    .filter(({ value }) => !operands.includes(value))

/** OCI runtimes of the daemon. */
export const runtimes: Source = async ({ client }) =>
  Object.keys((await client.system.info()).value.Runtimes ?? {}).map((value) => ({ value }))

/** Log drivers of the daemon. */
export const logDrivers: Source = async ({ client }) =>
  ((await client.system.info()).value.Plugins.Log ?? []).map((value) => ({ value }))

/** Volume drivers of the daemon. */
export const volumeDrivers: Source = async ({ client }) =>
  ((await client.system.info()).value.Plugins.Volume ?? []).map((value) => ({ value }))

/** Contexts, including `default`. */
export const contexts: Source = ({ settings }) => [{ value: 'default' }, ...storedContexts(settings)]

function storedContexts({ configDir }: CompletionPoint['settings']): Candidate[] {
  return new ContextStore(configDir).list().map(({ Name, Metadata }) => ({
    value: Name,
    ...(Metadata.Description ? { description: Metadata.Description } : {}),
  }))
}

/** Contexts that can be changed: all except `default`. */
export const ownContexts: Source = ({ settings }) => storedContexts(settings)

/** Registries that the user logged in to. */
export const registries: Source = ({ settings }) => Object.keys(settings.file().auths ?? {}).map((value) => ({ value }))

/** Names of environment variables. */
export const variables: Source = ({ settings, word }) =>
  word.includes('=') ? [] : Object.keys(settings.environment).map((value) => ({ value }))
