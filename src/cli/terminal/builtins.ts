/** Node's modules without their ES module wrappers. `import 'node:fs'` reads every member of the module to make its
 *  wrapper, and some members load a dozen modules more: 7 ms that each `berth …` would take longer. */

export const fs = process.getBuiltinModule('node:fs')

/** Loaded on first use: not every command opens a connection. */
export function net(): typeof import('node:net') {
  return process.getBuiltinModule('node:net')
}

/** Loads `net` as well. */
export function tty(): typeof import('node:tty') {
  return process.getBuiltinModule('node:tty')
}
