/** The pair of devices of `firewall.published = "host-rules"`. Packets that the host's own rules let pass go out by the
 *  near end and come in again, as if from the network, by the far end, where they are told from those that were not
 *  judged yet. Only the first packet of a connection takes that way. */
import { closeSync, openSync } from 'node:fs'
import { addAddress, createVeth, type RouteSocket, setLink, writeNetworkSysctl } from '../../sys/index.ts'
import { removeLink } from '../drivers/bridge-driver.ts'
import { admissionName } from '../record/paths.ts'
import type { Admission } from './firewall-rules.ts'

/** Both ends have the same hardware address: without neighbours, packets carry the sender's own as receiver's. */
const mac = '02:42:00:00:00:01'
/** The largest: no packet is to be cut for this. */
const mtu = 65535
/** IPv4 dummy address (RFC 7600): with any address the kernel checks packets' sources loosely, without one not at all
 *  loosely. */
const dummyAddress = '192.0.0.8'

/** The devices of a daemon. */
export function admissionDevices(tag: string): Admission {
  return { near: admissionName(tag, 'a'), far: admissionName(tag, 'b') }
}

/** Makes the pair, or makes it right. */
export function ensureAdmission(host: RouteSocket, { near, far }: Admission): void {
  if (host.findLink(near) === undefined) {
    const fd = openSync('/proc/thread-self/ns/net', 'r')
    try {
      host.execute(createVeth({ name: near, mtu, peer: { name: far, mac, namespaceFd: fd } }))
    } finally {
      closeSync(fd)
    }
  }
  const index = host.findLink(far)?.index ?? 0
  if (!host.addresses().some((entry) => entry.index === index)) host.execute(addAddress(index, dummyAddress, 32))
  // The largest of this and the setting for all devices counts: 2 is loose, and is enough where a strict check is on.
  writeNetworkSysctl(`ipv4/conf/${far}/rp_filter`, '2')
  for (const name of [near, far]) {
    writeNetworkSysctl(`ipv6/conf/${name}/disable_ipv6`, '0')
    writeNetworkSysctl(`ipv6/conf/${name}/accept_ra`, '0')
    host.execute(setLink(name, { mac }), setLink(name, { arp: false, up: true }))
  }
}

/** Takes the pair away; again is no error. */
export function removeAdmission(host: RouteSocket, { near }: Admission): void {
  removeLink(host, near)
}
