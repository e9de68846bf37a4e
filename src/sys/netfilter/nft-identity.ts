/** The netlink addresses from which this process changes the packet filter: those of its own sockets and of the
 *  programs that it starts. (The address of a process's first netlink socket is its pid.) Notifications contain the
 *  address, so that changes by others can be told from our own. */

const remembered = new Set<number>()
const atMost = 256

/** Remembers an address; beyond 256, the oldest are forgotten. */
export function rememberOwnNftAddress(address: number): void {
  remembered.delete(address)
  remembered.add(address)
  const [oldest] = remembered
  if (remembered.size > atMost && oldest !== undefined) remembered.delete(oldest)
}

/** True for an address that was remembered. */
export function isOwnNftAddress(address: number): boolean {
  return remembered.has(address)
}
