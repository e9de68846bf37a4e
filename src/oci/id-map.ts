/** Numbers of users and groups inside a user namespace and outside of it. Pure.
 *  user_namespaces(7); config-linux.md of the OCI runtime specification, "User namespace mappings" */

/** `size` numbers from `containerID` on are those from `hostID` on outside. */
export interface OciIdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

/** Both kinds of numbers. Each begins with the mapping of 0. */
export interface IdMappings {
  readonly uids: readonly OciIdMapping[]
  readonly gids: readonly OciIdMapping[]
}

/** What the kernel shows in place of a number that has none on the other side (proc(5), overflowuid). */
const overflowId = 65534

/** The number outside, or undefined when there is none. */
export function hostIdOf(mappings: readonly OciIdMapping[], id: number): number | undefined {
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return range === undefined ? undefined : id - range.containerID + range.hostID
}

/** The number inside; as the kernel does, 65534 for what has none. */
export function containerIdOf(mappings: readonly OciIdMapping[], id: number): number {
  const range = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size)
  return range === undefined ? overflowId : id - range.hostID + range.containerID
}
