/** A static ELF executable of one segment: header, one program header, code and data, all mapped readable and
 *  executable. A program that keeps its variables on the stack needs nothing else.
 *  Format: System V ABI, ELF-64. */

/** Architectures, with the names of the OCI image specification. */
export type ElfArchitecture = 'amd64' | 'arm64'

const machines: Readonly<Record<ElfArchitecture, number>> = { amd64: 62, arm64: 183 }
const headerSize = 64
const programHeaderSize = 56
const loadAddress = 0x400000n

/** Makes an executable of code that starts at its first byte. */
export function elfExecutable(architecture: ElfArchitecture, code: Buffer): Buffer {
  const size = headerSize + programHeaderSize + code.length
  const file = Buffer.alloc(size)
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]) // magic, 64 bits, little-endian, version 1
  file.writeUInt16LE(2, 16) // executable
  file.writeUInt16LE(machines[architecture], 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(loadAddress + BigInt(headerSize + programHeaderSize), 24) // entry
  file.writeBigUInt64LE(BigInt(headerSize), 32) // program headers
  file.writeUInt16LE(headerSize, 52)
  file.writeUInt16LE(programHeaderSize, 54)
  file.writeUInt16LE(1, 56)
  const segment = file.subarray(headerSize)
  segment.writeUInt32LE(1, 0) // loaded
  segment.writeUInt32LE(5, 4) // readable, executable
  segment.writeBigUInt64LE(loadAddress, 16)
  segment.writeBigUInt64LE(loadAddress, 24)
  segment.writeBigUInt64LE(BigInt(size), 32)
  segment.writeBigUInt64LE(BigInt(size), 40)
  segment.writeBigUInt64LE(0x10000n, 48) // kernels with pages of 64 KiB take it as well
  file.set(code, headerSize + programHeaderSize)
  return file
}
