export {
  errno,
  loadKoffi,
  type NativeValue,
  nativeFunction,
  rawSyscall,
  type SystemError,
  syscall,
  systemError,
} from './ffi.ts'
