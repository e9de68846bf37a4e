/** The devices of macvlan and ipvlan networks. Containers' devices are attached to a device of the host, the parent,
 *  and are hosts in its network. The engine makes the parent if it is a missing VLAN device or if none is named. */
import { randomBytes } from 'node:crypto'
import { BerthError, errnoOf, internal } from '../../base/index.ts'
import {
  createStackedLink,
  deleteLink,
  type LinkInfo,
  type RouteSocket,
  type StackedLink,
  setLink,
} from '../../sys/index.ts'
import type { EndpointRecord, NetworkRecord } from '../record/network-record.ts'
import type { IpvlanMode, MacvlanMode, ParentSettings } from '../record/parent-options.ts'
import { networkAlias } from '../record/paths.ts'
import { removeLink } from './bridge-driver.ts'
import type { NetworkDriver } from './network-driver.ts'
import type { SandboxDoor } from './sandbox-door.ts'

export class ParentDriver implements NetworkDriver {
  readonly detachesFirst = true
  readonly #host: RouteSocket
  readonly #tag: string

  constructor(host: RouteSocket, tag: string) {
    this.#host = host
    this.#tag = tag
  }

  ensure(record: NetworkRecord, links: readonly LinkInfo[]): NetworkRecord {
    const settings = settingsOf(record)
    const found = links.find((link) => link.name === settings.device)
    const alias = networkAlias(this.#tag, record.id)
    if (found !== undefined) return { ...record, parent: { ...settings, own: found.alias === alias } }
    const link = this.#parentLink(settings, links)
    if (link === undefined) {
      throw new BerthError(
        'invalidArgument',
        `invalid subinterface vlan name ${settings.device}, example formatting is eth0.10`,
      )
    }
    this.#create(link, settings.device)
    this.#host.execute(setLink(settings.device, { up: true }))
    const made = this.#host.findLink(settings.device)
    if (made === undefined) throw internal(`device ${settings.device} has gone`)
    this.#host.execute(setLink(made.index, { alias }))
    return { ...record, parent: { ...settings, own: true } }
  }

  remove(record: NetworkRecord): void {
    const settings = settingsOf(record)
    if (settings.own) removeLink(this.#host, settings.device)
  }

  attach(record: NetworkRecord, endpoint: EndpointRecord, door: SandboxDoor): void {
    const settings = settingsOf(record)
    const parent = this.#host.findLink(settings.device)
    if (parent === undefined) throw new BerthError('unavailable', `parent interface ${settings.device} was not found`)
    const link = stackedLink(record, settings, parent.index)
    // Kernels before 6.15 check the name in the host's namespace, and most hosts have an eth0. So the device gets a
    // random name first.
    const name = `bt${randomBytes(6).toString('hex')}`
    const options = { name, mac: endpoint.mac, mtu: settings.mtu, namespaceFd: door.fd }
    try {
      this.#host.execute(createStackedLink(link, options))
    } catch (error) {
      throw explained(error, link.kind, settings.device)
    }
    try {
      const made = door.route.findLink(name)
      if (made === undefined) throw internal(`device ${name} has gone`)
      door.route.execute(setLink(made.index, { name: endpoint.device }))
    } catch (error) {
      door.route.execute(deleteLink(name))
      throw error
    }
  }

  detach({ device }: EndpointRecord, door: SandboxDoor): void {
    try {
      door.route.execute(deleteLink(device))
    } catch (error) {
      if (errnoOf(error) !== 'ENODEV') throw error
    }
  }

  #parentLink({ vlan, device }: ParentSettings, links: readonly LinkInfo[]): StackedLink | undefined {
    if (vlan === undefined) return device.startsWith('dm-') ? { kind: 'dummy' } : undefined
    const lower = links.find((link) => link.name === vlan.lower)
    return lower === undefined ? undefined : { kind: 'vlan', parent: lower.index, id: vlan.id }
  }

  #create(link: StackedLink, name: string): void {
    try {
      this.#host.execute(createStackedLink(link, { name }))
    } catch (error) {
      throw explained(error, link.kind, name)
    }
  }
}

function stackedLink(record: NetworkRecord, { mode, flag }: ParentSettings, parent: number): StackedLink {
  return record.driver === 'macvlan'
    ? { kind: 'macvlan', parent, mode: mode as MacvlanMode }
    : { kind: 'ipvlan', parent, mode: mode as IpvlanMode, flag }
}

function explained(error: unknown, kind: string, device: string): unknown {
  const reason = reasons[errnoOf(error) ?? '']
  if (reason === undefined) return error
  return new BerthError('unavailable', `cannot make a ${kind} device on ${device}: ${reason(kind)}`, { cause: error })
}

const reasons: Readonly<Record<string, (kind: string) => string>> = {
  EOPNOTSUPP: (kind) => `this kernel has no ${kind} (operation not supported)`,
  ENOTSUP: (kind) => `this kernel has no ${kind} (operation not supported)`,
  EBUSY: () => 'the parent is used by another kind of network',
  EINVAL: () => 'the parent or its mode does not allow it',
  EADDRINUSE: () => 'the MAC is in use on the parent',
}

function settingsOf(record: NetworkRecord): ParentSettings {
  if (record.parent === undefined) throw internal(`network ${record.name} has no parent settings`)
  return record.parent
}
