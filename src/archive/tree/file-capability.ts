/** File capabilities (`security.capability`) as a user namespace has them. The root user that they are good for stands
 *  in revision 3 of the value, by the host's id; revision 2 means the namespace's own root. A stream that leaves a
 *  container whose users are mapped tells them as they are inside, and one that comes in is written for that root:
 *  without it the kernel takes revision 2 for the host's, which the container is not allowed to set.
 *  https://man7.org/linux/man-pages/man7/capabilities.7.html ("Namespaced file capabilities") */
import { containerIdOf, hostIdOf, type IdMappings } from '../../oci/index.ts'

export const capabilityXattr = 'security.capability'

const revisionMask = 0xff000000
const revision2 = 0x02000000
const revision3 = 0x03000000
const rootOffset = 20
const revision3Bytes = 24

/** The value inside; undefined when it is good for nobody there. */
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

/** The value on the host of what a namespace says; undefined when it names a user that there is none of. */
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
