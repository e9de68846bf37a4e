const pool = { bytes: Buffer.alloc(0), offset: 0 }

/** A new 64-digit lower-case hexadecimal id, as Docker's. Its first 12 digits are never all decimal,
 *  so that a short id as a hostname is not taken for a number. */
export function newId(): string {
  for (;;) {
    if (pool.offset + 32 > pool.bytes.length) {
      // Loaded on first use: every command of the CLI imports this folder, few make an id, and it takes 10 ms.
      pool.bytes = process.getBuiltinModule('node:crypto').randomBytes(4096)
      pool.offset = 0
    }
    const id = pool.bytes.toString('hex', pool.offset, pool.offset + 32)
    pool.offset += 32
    if (!/^\d{12}/.test(id)) return id
  }
}

/** The first 12 digits, the form that people read. */
export function shortId(id: string): string {
  return id.replace(/^sha\d+:/, '').slice(0, 12)
}
