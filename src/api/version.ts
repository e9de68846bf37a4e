/** The range of Engine API versions that Berth serves. */

/** The newest version, which clients get if they ask for none. */
export const maxApiVersion = '1.51'
/** The oldest version that clients may use by default. */
export const minApiVersion = '1.24'
/** The oldest version that the configuration can allow. Its requests are answered like those of 1.24. */
export const oldestApiVersion = '1.12'

/** Compares versions of the form `major.minor`: negative when `left` is older, 0 when both are equal, else positive. */
export function compareApiVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number)
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number)
  return leftMajor - rightMajor || leftMinor - rightMinor
}
