export { ContainerTable } from './container-table.ts'
export { Database, type Row } from './database.ts'
export { type ImageReferenceRow, ImageTable } from './image-table.ts'
