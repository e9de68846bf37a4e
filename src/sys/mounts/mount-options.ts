/** Translates the option words of mount(8) into the arguments of mount(2). */

/** Option words, translated for mount(2). */
export interface ParsedMountOptions {
  readonly flags: number
  /** Options for the file system itself, joined by commas. */
  readonly data: string
  /** Flags of further mount calls, one call each. */
  readonly propagation: readonly number[]
}

const rec = 16384

const setFlags: Readonly<Record<string, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  mand: 64,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  rbind: 4096 | rec,
  silent: 32768,
  relatime: 1 << 21,
  iversion: 1 << 23,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
}

const clearFlags: Readonly<Record<string, number>> = {
  rw: 1,
  suid: 2,
  dev: 4,
  exec: 8,
  async: 16,
  nomand: 64,
  atime: 1024,
  diratime: 2048,
  norelatime: 1 << 21,
  nostrictatime: 1 << 24,
  nolazytime: 1 << 25,
  defaults: 0,
}

const propagationFlags: Readonly<Record<string, number>> = {
  unbindable: 1 << 17,
  runbindable: (1 << 17) | rec,
  private: 1 << 18,
  rprivate: (1 << 18) | rec,
  slave: 1 << 19,
  rslave: (1 << 19) | rec,
  shared: 1 << 20,
  rshared: (1 << 20) | rec,
}

/** Sorts option words into flags, propagation changes and file system data. Later words override earlier ones. */
export function parseMountOptions(options: readonly string[]): ParsedMountOptions {
  let flags = 0
  const data: string[] = []
  const propagation: number[] = []
  for (const option of options) {
    const set = setFlags[option]
    const clear = clearFlags[option]
    const change = propagationFlags[option]
    if (set !== undefined) flags |= set
    else if (clear !== undefined) flags &= ~clear
    else if (change !== undefined) propagation.push(change)
    else data.push(option)
  }
  return { flags, data: data.join(','), propagation }
}
