/** Mapping between the user and group ids inside a user namespace and those outside. Pure.
 *  user_namespaces(7); config-linux.md of the OCI runtime specification, "User namespace mappings" */

/** Maps the `size` ids from `containerID` on (inside) to those from `hostID` on (outside). */
export interface OciIdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

/** The mappings of users and groups. The first range of each begins with 0 inside. */
export interface IdMappings {
  readonly uids: readonly OciIdMapping[]
  readonly gids: readonly OciIdMapping[]
}

/** What the kernel shows for an id without a mapping (proc(5), overflowuid). */
const overflowId = 65534

/** The id outside; undefined when `id` has no mapping. */
export function hostIdOf(mappings: readonly OciIdMapping[], id: number): number | undefined {
  const range = mappings.find(({ containerID, size }) => id >= containerID && id < containerID + size)
  return range === undefined ? undefined : id - range.containerID + range.hostID
}

/** The id inside; 65534 when `id` has no mapping, as the kernel shows it. */
export function containerIdOf(mappings: readonly OciIdMapping[], id: number): number {
  const range = mappings.find(({ hostID, size }) => id >= hostID && id < hostID + size)
  return range === undefined ? overflowId : id - range.hostID + range.containerID
}
