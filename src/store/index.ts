export { ContainerTable } from './container-table.ts'
export { Database, type Row } from './database.ts'
