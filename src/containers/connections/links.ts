/** Links of containers on the default bridge (`--link db:store`). A link adds a line to `/etc/hosts` and environment
 *  variables. With `icc=false` it also permits traffic to the other container's exposed ports. On other networks, the
 *  embedded DNS server resolves links. A link stores the other container's id, so names may change. */
import type { HostConfig } from '../../api/index.ts'
import { internal, invalidArgument, isKind, notFound } from '../../base/index.ts'
import type { LinkPermit } from '../../network/index.ts'
import { type ContainerRecord, withChanges } from '../record/container-record.ts'
import type { Uses } from '../record/dependencies.ts'
import type { ContainerLink } from '../record/link-index.ts'
import { networkOwner, sharedNetworkTarget } from '../record/namespaces.ts'
import { parseContainerPort } from '../record/port-requests.ts'
import { isUp } from '../record/state.ts'
import { editHosts } from './edit-hosts.ts'
import { linkEnvironment } from './link-environment.ts'

/** A running linked container, with its address on the default bridge. */
interface Linked {
  readonly link: ContainerLink
  readonly record: ContainerRecord
  readonly address: string
}

/** The links that create requests; none on a network whose DNS server resolves links. Throws `invalidArgument`, in
 *  Docker's words, for an unknown container and for network modes that exclude links. */
export function requestedLinks(context: Uses<'containers'>, hostConfig: HostConfig): readonly ContainerLink[] {
  const texts = hostConfig.Links ?? []
  const mode = hostConfig.NetworkMode || 'bridge'
  if (texts.length === 0) return []
  const undefinedBehaviour = (type: string) =>
    invalidArgument(`conflicting options: ${type} can't be used with links. This would result in undefined behavior`)
  if (mode === 'host') throw undefinedBehaviour('host type networking')
  if (sharedNetworkTarget(mode) !== undefined) throw undefinedBehaviour('container type network')
  if (mode !== 'bridge' && mode !== 'default') return []
  return texts.map((text) => {
    const { target, alias } = parseLink(text)
    const record = networkOwner(find(context, target), (shared) => find(context, shared))
    if (record.hostConfig.NetworkMode === 'host') throw undefinedBehaviour('host type networking')
    return { target: record.id, alias }
  })
}

/** Parses `name:alias`, `name`, and the form that inspect shows: `/name:/parent/alias`. Throws `invalidArgument`. */
function parseLink(text: string): { readonly target: string; readonly alias: string } {
  if (text === '') throw invalidArgument('empty string specified for links')
  const [target = '', alias = target, ...rest] = text.split(':')
  if (rest.length > 0) throw invalidArgument(`bad format for links: ${text}`)
  if (target.startsWith('/')) return { target: target.slice(1), alias: alias.split('/').at(-1) ?? alias }
  return { target, alias }
}

/** The links as inspect shows them. */
export function shownLinks(context: Uses<'containers'>, record: ContainerRecord): string[] | null {
  const links = (record.links ?? []).flatMap(({ target, alias }) => {
    const other = context.containers.find(target)
    return other === undefined ? [] : [`/${other.name}:/${record.name}/${alias}`]
  })
  return links.length === 0 ? null : links
}

/** The additional names that a container has through other containers' links. */
export function linkNames(context: Uses<'containers'>, { id }: ContainerRecord): string[] {
  return context.containers.links.parentsOf(id).flatMap(({ parent, alias }) => {
    const record = context.containers.find(parent)
    return record === undefined ? [] : [`/${record.name}/${alias}`]
  })
}

/** Throws Docker's error if a linked container does not run. */
export function checkLinks(context: Uses<'containers' | 'networks'>, record: ContainerRecord): void {
  for (const { target, alias } of record.links ?? []) {
    const other = context.containers.find(target)
    if (other === undefined) continue
    if (!isUp(other.state.status)) {
      throw internal(`Cannot link to a non running container: /${other.name} AS /${record.name}/${alias}`)
    }
    if (bridgeAddress(context, target) === undefined) {
      throw internal(`container ${target} not attached to default bridge network`)
    }
  }
}

/** The environment variables that a container's links add. */
export function linkVariables(context: Uses<'containers' | 'networks'>, record: ContainerRecord): string[] {
  return linkedOf(context, record).flatMap(({ link, record: other, address }) =>
    linkEnvironment({
      parentName: record.name,
      alias: link.alias,
      address,
      exposedPorts: Object.keys(other.config.ExposedPorts ?? {}),
      env: other.config.Env ?? [],
    }),
  )
}

/** The lines that a container's links add to its `/etc/hosts`. */
export function linkHosts(
  context: Uses<'containers' | 'networks'>,
  record: ContainerRecord,
): (readonly [string, string])[] {
  return linkedOf(context, record).map((linked) => [linked.address, hostNames(linked)])
}

/** With `icc` off, permits a container's traffic to the exposed ports of the containers that it links to. Call when the
 *  container runs. */
export async function permitLinks(context: Uses<'containers' | 'networks'>, record: ContainerRecord): Promise<void> {
  if ((record.links?.length ?? 0) === 0) return
  const permits = linkedOf(context, record).flatMap(({ link, record: other }) =>
    Object.keys(other.config.ExposedPorts ?? {}).map(
      (port): LinkPermit => ({ target: link.target, ...containerPort(port) }),
    ),
  )
  await context.networks.sandboxes.links.set(record.id, permits)
}

/** Updates `/etc/hosts` and the permitted ports of running containers that link to this one. Call when it has a new
 *  address. */
export async function tellParents(
  context: Uses<'containers' | 'networks' | 'logger' | 'paths'>,
  { id }: ContainerRecord,
): Promise<void> {
  for (const { parent } of context.containers.links.parentsOf(id)) {
    const record = context.containers.find(parent)
    if (record === undefined || !isUp(record.state.status)) continue
    rewriteHosts(context, record)
    await permitLinks(context, record)
  }
}

/** Removes a link, given as `parent/alias` with or without a leading slash. Throws Docker's errors. */
export async function removeLink(
  context: Uses<'containers' | 'networks' | 'logger' | 'paths'>,
  name: string,
): Promise<void> {
  const [parentName = '', alias] = name.replace(/^\//, '').split('/')
  if (alias === undefined) {
    context.containers.get(parentName)
    // Docker answers with status 500, although the text says "Conflict".
    throw internal('Conflict, cannot remove the default link name of the container')
  }
  const parent = context.containers.findByName(parentName)
  const links = parent?.links ?? []
  const rest = links.filter((link) => link.alias !== alias)
  if (parent === undefined || rest.length === links.length) {
    throw notFound(`No such container: ${name}`)
  }
  const gone = linkedOf(context, parent).filter(({ link }) => link.alias === alias)
  const changed = withChanges(parent, { links: rest })
  context.containers.save(changed)
  if (!isUp(changed.state.status)) return
  for (const linked of gone) replaceHosts(context, changed, linked, undefined)
  await context.networks.sandboxes.links.set(changed.id, [])
  await permitLinks(context, changed)
}

/** Removes all links to a container that is being removed. */
export function dropLinksTo(context: Uses<'containers'>, id: string): void {
  for (const { parent } of context.containers.links.parentsOf(id)) {
    const record = context.containers.find(parent)
    if (record === undefined) continue
    context.containers.save(withChanges(record, { links: (record.links ?? []).filter(({ target }) => target !== id) }))
  }
}

function linkedOf(context: Uses<'containers' | 'networks'>, record: ContainerRecord): Linked[] {
  return (record.links ?? []).flatMap((link) => {
    const other = context.containers.find(link.target)
    const address = bridgeAddress(context, link.target)
    return other === undefined || address === undefined ? [] : [{ link, record: other, address }]
  })
}

function bridgeAddress(context: Uses<'networks'>, id: string): string | undefined {
  const endpoints = context.networks.sandboxes.find(id)?.endpoints ?? []
  return endpoints.find(({ networkName: name }) => name === 'bridge')?.ipv4 || undefined
}

/** Alias, hostname and name, without duplicates. */
function hostNames({ link, record }: Linked): string {
  return [...new Set([link.alias, record.config.Hostname ?? '', record.name])].filter((name) => name !== '').join(' ')
}

function rewriteHosts(context: Uses<'containers' | 'networks' | 'logger' | 'paths'>, record: ContainerRecord): void {
  for (const linked of linkedOf(context, record)) replaceHosts(context, record, linked, linked.address)
}

/** Gives the line of a link another address, or removes the line. A line is recognized by its first names, because the
 *  last one (the container's name) may have changed. */
function replaceHosts(
  context: Uses<'logger' | 'paths'>,
  { id }: ContainerRecord,
  linked: Linked,
  address: string | undefined,
): void {
  const names = hostNames(linked)
  const { link, record } = linked
  const isItsLine = (line: string) => {
    const [alias, hostname = ''] = line.split('\t')[1]?.split(' ') ?? []
    return alias === link.alias && (hostname === record.config.Hostname || line.endsWith(`\t${names}`))
  }
  const changed = address === undefined ? [] : [`${address}\t${names}`]
  editHosts(context, id, (lines) => lines.flatMap((line) => (isItsLine(line) ? changed : [line])))
}

function containerPort(text: string): Pick<LinkPermit, 'protocol' | 'containerPort'> {
  const { protocol, port } = parseContainerPort(text)
  return { protocol, containerPort: port }
}

function find(context: Uses<'containers'>, target: string): ContainerRecord {
  try {
    return context.containers.get(target)
  } catch (cause) {
    if (!isKind(cause, 'notFound')) throw cause
    // Not `notFound`: clients would take that for a missing image, and pull.
    throw invalidArgument(`could not get container for ${target}: No such container: ${target}`, { cause })
  }
}
