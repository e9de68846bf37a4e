export type { ElfArchitecture } from './elf.ts'
export { helloImage, helloProgram } from './hello-image.ts'
export { helloText } from './text.ts'
