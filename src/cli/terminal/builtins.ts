/** Node's modules without their ES module wrappers. `import 'node:fs'` reads every member of the module for its
 *  wrapper, and some members load a dozen further modules, which would make each `berth …` 7 ms slower. */

export const fs = process.getBuiltinModule('node:fs')

/** `node:path` for the paths of Linux. */
export const posix = process.getBuiltinModule('node:path').posix

/** The module `node:net`, loaded on first use, because not every command opens a connection. */
export function net(): typeof import('node:net') {
  return process.getBuiltinModule('node:net')
}

/** The module `node:tty`. Loads `node:net` as well. */
export function tty(): typeof import('node:tty') {
  return process.getBuiltinModule('node:tty')
}
