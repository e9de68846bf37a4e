/** The range of Engine API versions that Berth speaks. */

export const maxApiVersion = '1.51'
/** The oldest that clients may use by default. */
export const minApiVersion = '1.24'
/** The oldest that the daemon can be told to allow; answered as 1.24 is. */
export const oldestApiVersion = '1.12'

/** Negative when `left` is the older version, 0 when both are the same. Versions are `major.minor`. */
export function compareApiVersions(left: string, right: string): number {
  const [leftMajor = 0, leftMinor = 0] = left.split('.').map(Number)
  const [rightMajor = 0, rightMinor = 0] = right.split('.').map(Number)
  return leftMajor - rightMajor || leftMinor - rightMinor
}
