export { type BuiltStacks, exportCaches } from './cache/cache-exporter.ts'
export { ImportedCaches, type ImportedLayer, type ImportHost } from './cache/cache-importer.ts'
export type { ExportHost, ExportParts, WantedOutput } from './export-parts.ts'
export { type ExportMetadata, ImageExporter, type ImageExporterOptions } from './image-exporter.ts'
