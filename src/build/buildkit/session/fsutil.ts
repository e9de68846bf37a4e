/** Numbers of fsutil's protocol, which transfers directories: types of packets, and file modes, which have Go's bits.
 *  https://github.com/tonistiigi/fsutil https://pkg.go.dev/io/fs#FileMode */

/** Types of packets. */
export const packetType = { stat: 0, request: 1, data: 2, end: 3, error: 4 } as const

const goDirectory = 2 ** 31
const goSymlink = 2 ** 27
const goOther = [26, 25, 24, 21, 19].reduce((sum, bit) => sum + 2 ** bit, 0)
const special = [
  [2 ** 23, 0o4000],
  [2 ** 22, 0o2000],
  [2 ** 20, 0o1000],
] as const

/** The file type of a mode: file, directory, link, other. */
export function typeOfMode(mode: number): 'f' | 'd' | 'l' | 'o' {
  const has = (bit: number) => Math.floor(mode / bit) % 2 === 1
  if (has(goDirectory)) return 'd'
  if (has(goSymlink)) return 'l'
  return (mode & goOther) === 0 ? 'f' : 'o'
}

/** The permission bits, with setuid, setgid and sticky. */
export function permissionsOfMode(mode: number): number {
  return special.reduce((bits, [go, linux]) => ((mode & go) === 0 ? bits : bits | linux), mode & 0o777)
}

/** Go's mode of a file. */
export function goMode(type: 'f' | 'd' | 'l', permissions: number): number {
  const bits = special.reduce((sum, [go, linux]) => ((permissions & linux) === 0 ? sum : sum | go), permissions & 0o777)
  return (bits | (type === 'l' ? goSymlink : 0)) + (type === 'd' ? goDirectory : 0)
}
