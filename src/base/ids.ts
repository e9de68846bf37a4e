const pool = { bytes: Buffer.alloc(0), offset: 0 }

/** A new random id of 64 lower-case hexadecimal digits, as Docker makes them. The first 12 digits are never all
 *  decimal: a short id is also a hostname, which must not look like a number. */
export function newId(): string {
  for (;;) {
    if (pool.offset + 32 > pool.bytes.length) {
      // Loaded on first use: it takes 10 ms, every command of the CLI imports this folder, and few make an id.
      pool.bytes = process.getBuiltinModule('node:crypto').randomBytes(4096)
      pool.offset = 0
    }
    const id = pool.bytes.toString('hex', pool.offset, pool.offset + 32)
    pool.offset += 32
    if (!/^\d{12}/.test(id)) return id
  }
}

/** The first 12 digits of an id or a digest, without the digest's algorithm. */
export function shortId(id: string): string {
  return id.replace(/^sha\d+:/, '').slice(0, 12)
}
