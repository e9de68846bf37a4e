/** `node:path` without its ES module wrapper. `terminal/builtins.ts` says why. */
export const path = process.getBuiltinModule('node:path').posix
