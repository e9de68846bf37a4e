/** `node:path` without its ES module wrapper, see `builtins.ts`. */
export const path = process.getBuiltinModule('node:path').posix
