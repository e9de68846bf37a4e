/** The pair of devices for `firewall.published = "host-rules"`. Packets that the host's own rules accept leave through
 *  the near end and come in again through the far end, as if from the network. So the rules can tell them from packets
 *  that were not checked yet. Only the first packet of each connection takes this way. */
import { closeSync, openSync } from 'node:fs'
import { addAddress, createVeth, type RouteSocket, setLink, writeNetworkSysctl } from '../../sys/index.ts'
import { removeLink } from '../drivers/bridge-driver.ts'
import { admissionName } from '../record/paths.ts'
import type { Admission } from './firewall-rules.ts'

/** The MAC of both ends. Without ARP, packets carry the sender's own address as the receiver's. */
const mac = '02:42:00:00:00:01'
/** The largest MTU, so that no packet is fragmented on this way. */
const mtu = 65535
/** The IPv4 dummy address (RFC 7600). The kernel's loose check of source addresses needs some address on the device. */
const dummyAddress = '192.0.0.8'

/** The names of a daemon's two devices. */
export function admissionDevices(tag: string): Admission {
  return { near: admissionName(tag, 'a'), far: admissionName(tag, 'b') }
}

/** Makes the pair or repairs it. */
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
  // 2 is the loose check. The kernel uses the maximum of this and the setting for all devices, so 2 overrides 1 (strict).
  writeNetworkSysctl(`ipv4/conf/${far}/rp_filter`, '2')
  for (const name of [near, far]) {
    writeNetworkSysctl(`ipv6/conf/${name}/disable_ipv6`, '0')
    writeNetworkSysctl(`ipv6/conf/${name}/accept_ra`, '0')
    host.execute(setLink(name, { mac }), setLink(name, { arp: false, up: true }))
  }
}

/** Removes the pair. Does nothing if it is gone. */
export function removeAdmission(host: RouteSocket, { near }: Admission): void {
  removeLink(host, near)
}
