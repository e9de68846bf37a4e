import { createHash, hash } from 'node:crypto'
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'

const pieceBytes = 1024 * 1024

/** SHA-256 of each file's content, in hexadecimal. */
export function hashFiles(paths: readonly string[]): string[] {
  const piece = Buffer.allocUnsafe(pieceBytes)
  return paths.map((path) => hashFile(path, piece))
}

function hashFile(path: string, piece: Buffer): string {
  if (statSync(path).size <= pieceBytes) return hash('sha256', readFileSync(path), 'hex')
  const fd = openSync(path, 'r')
  try {
    const sum = createHash('sha256')
    for (;;) {
      const count = readSync(fd, piece, 0, pieceBytes, null)
      if (count === 0) return sum.digest('hex')
      sum.update(piece.subarray(0, count))
    }
  } finally {
    closeSync(fd)
  }
}
