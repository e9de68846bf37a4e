export { type AppliedLayer, type ApplyLayerOptions, applyLayer } from './apply-layer.ts'
export { compressStream } from './compress-stream.ts'
export {
  type Compression,
  compressionMagicBytes,
  type Decompressed,
  decompress,
  decompressUpload,
  detectCompression,
} from './compression.ts'
export { type ArchiveMember, archiveOf, type FileArchive, type FileContent } from './file-archive.ts'
export { type GzipBlocksOptions, gzipBlocks } from './gzip-blocks.ts'
export { LayerUnpacker, type UnpackedLayer } from './layer-unpacker.ts'
export { type PackOptions, packDirectory, packName } from './pack-directory.ts'
export { packEntries, type TarMemberInput } from './pack-entries.ts'
export { type SparseRun, type TarEntry, type TarEntryType, tarBlockBytes } from './tar-entry.ts'
export { type TarHandler, TarParser } from './tar-parser.ts'
export { readTar, type TarMember } from './tar-reader.ts'
export { formatTarHeader, type TarEntryInput, tarEnd, tarPadding } from './tar-writer.ts'
export { type TreeOwner, TreeWriter, type TreeWriterOptions } from './tree-writer.ts'
export { isZip, type ReadZipOptions, readZip, type ZipMember } from './zip.ts'
