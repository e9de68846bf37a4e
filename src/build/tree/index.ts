export { bytewise, type ContextFile, ContextTree } from './context-tree.ts'
export { DirectoryTree } from './directory-tree.ts'
export { matchesIn, type SelectedEntry, type SelectedGroup, type SelectOptions, selectFiles } from './select-files.ts'
export { baseName, joinPath, resolveInTree, type TreeEntry, type TreeReader } from './tree-reader.ts'
