/** Which netlink addresses this process changes the packet filter from: its own sockets' and those of the nft processes
 *  that it starts (a process's first netlink socket has its pid for an address). Notifications carry them, so a change
 *  of somebody else's is told from our own. */

const remembered = new Set<number>()
const atMost = 256

/** Notes an address. The oldest ones are forgotten. */
export function rememberOwnNftAddress(address: number): void {
  remembered.delete(address)
  remembered.add(address)
  const [oldest] = remembered
  if (remembered.size > atMost && oldest !== undefined) remembered.delete(oldest)
}

export function isOwnNftAddress(address: number): boolean {
  return remembered.has(address)
}
