export type { ElfArchitecture } from './elf.ts'
export { type HelloImage, type HelloImageConfig, helloImage, helloProgram } from './hello-image.ts'
export { helloText } from './text.ts'
