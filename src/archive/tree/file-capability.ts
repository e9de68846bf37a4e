/** Translates file capabilities (`security.capability`) between the host and a user namespace. Revision 3 of the value
 *  has the host's id of the root user that the capabilities apply to; revision 2 means the root user of the namespace
 *  that reads it. A stream that leaves a container with mapped users gets the values as seen inside. A stream that
 *  comes in is written for the container's root user: the kernel would take revision 2 for the host's root user, and
 *  the container may not set that.
 *  https://man7.org/linux/man-pages/man7/capabilities.7.html ("Namespaced file capabilities") */
import { containerIdOf, hostIdOf, type IdMappings } from '../../oci/index.ts'

/** The extended attribute with a file's capabilities. */
export const capabilityXattr = 'security.capability'

const revisionMask = 0xff000000
const revision2 = 0x02000000
const revision3 = 0x03000000
const rootOffset = 20
const revision3Bytes = 24

/** The value as seen inside the namespace; undefined when it applies to no user there. */
export function capabilityInside(value: Buffer, { uids }: IdMappings): Buffer | undefined {
  if (!isRevision(value, revision3, revision3Bytes)) return value
  const onHost = value.readUInt32LE(rootOffset)
  const root = containerIdOf(uids, onHost)
  if (hostIdOf(uids, root) !== onHost) return undefined
  if (root !== 0) return withRoot(value, root)
  const plain = Buffer.from(value.subarray(0, rootOffset))
  plain.writeUInt32LE(((plain.readUInt32LE(0) & ~revisionMask) | revision2) >>> 0)
  return plain
}

/** The value on the host for one from inside; undefined when it names a user that the namespace does not have. */
export function capabilityOnHost(value: Buffer, { uids }: IdMappings): Buffer | undefined {
  const hasRoot = isRevision(value, revision3, revision3Bytes)
  if (!hasRoot && !isRevision(value, revision2, rootOffset)) return value
  const root = hostIdOf(uids, hasRoot ? value.readUInt32LE(rootOffset) : 0)
  return root === undefined ? undefined : withRoot(value, root)
}

function isRevision(value: Buffer, revision: number, bytes: number): boolean {
  return value.length === bytes && (value.readUInt32LE(0) & revisionMask) >>> 0 === revision
}

function withRoot(value: Buffer, root: number): Buffer {
  const made = Buffer.alloc(revision3Bytes)
  value.copy(made, 0, 0, rootOffset)
  made.writeUInt32LE(((made.readUInt32LE(0) & ~revisionMask) | revision3) >>> 0)
  made.writeUInt32LE(root, rootOffset)
  return made
}
