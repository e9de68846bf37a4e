export { type ContextFile, ContextTree } from './context-tree.ts'
export { DirectoryTree } from './directory-tree.ts'
export { matchesIn, type SelectedGroup, selectFiles } from './select-files.ts'
export { joinPath, resolveInTree, type TreeEntry, type TreeReader } from './tree-reader.ts'
