export { compressStream } from './compression/compress-stream.ts'
export {
  type Compression,
  compressionMagicBytes,
  type Decompressed,
  decompress,
  decompressUpload,
  detectCompression,
} from './compression/compression.ts'
export { type GzipBlocksOptions, gzipBlocks } from './compression/gzip-blocks.ts'
export { type ArchiveMember, archiveOf, type FileArchive, type FileContent } from './tar/file-archive.ts'
export { type SparseRun, type TarEntry, type TarEntryType, tarBlockBytes } from './tar/tar-entry.ts'
export { type TarHandler, TarParser } from './tar/tar-parser.ts'
export { readTar, type TarMember } from './tar/tar-reader.ts'
export {
  formatTarHeader,
  packEntries,
  type TarEntryInput,
  type TarMemberInput,
  tarEnd,
  tarPadding,
} from './tar/tar-writer.ts'
export { type AppliedLayer, type ApplyLayerOptions, applyLayer } from './tree/apply-layer.ts'
export { LayerUnpacker, type UnpackedLayer } from './tree/layer-unpacker.ts'
export { type PackOptions, packDirectory, packName } from './tree/pack-directory.ts'
export { type TreeOwner, TreeWriter, type TreeWriterOptions } from './tree/tree-writer.ts'
export { isZip, type ReadZipOptions, readZip, type ZipMember } from './zip.ts'
