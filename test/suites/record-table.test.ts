import { ContainerTable, Database } from '../../src/store/index.ts'
import { recordTableSuite } from './record-table.ts'

recordTableSuite('ContainerTable', () => new ContainerTable(Database.open(':memory:')))
