/** The `hello` program for x86-64 (System V calling convention of Linux system calls: number in rax,
 *  arguments in rdi, rsi, rdx). The stack holds `struct utsname` at 0, `struct ifreq` at 400 and the
 *  address's text at 440. */
import { Assembler } from './assembler.ts'
import { helloText } from './text.ts'

const call = { write: 1, ioctl: 16, socket: 41, uname: 63, exitGroup: 231 } as const
const SIOCGIFADDR = 0x8915

/** The program's code and data. */
export function assembleX64(): Buffer {
  const a = new Assembler()
  a.emit(0x48, 0x81, 0xec, 0, 2, 0, 0) // sub rsp, 512
  a.emit(0x48, 0x89, 0xe7) // mov rdi, rsp
  systemCall(a, call.uname)
  writeText(a, 'beforeHostname', helloText.beforeHostname.length)
  writeHostname(a)
  writeText(a, 'beforeAddress', helloText.beforeAddress.length)
  writeAddress(a)
  writeText(a, 'end', helloText.end.length)
  a.emit(0x31, 0xff) // xor edi, edi
  systemCall(a, call.exitGroup)
  for (const [name, text] of Object.entries(helloText)) {
    a.label(name)
    a.emit(...Buffer.from(text))
  }
  return a.link()
}

function systemCall(a: Assembler, number: number): void {
  a.emit(0xb8) // mov eax, number
  a.emit32(number)
  a.emit(0x0f, 0x05) // syscall
}

/** write(1, rsi, edx) */
function write(a: Assembler): void {
  a.emit(0xbf, 1, 0, 0, 0) // mov edi, 1
  systemCall(a, call.write)
}

function writeText(a: Assembler, label: string, length: number): void {
  loadAddressOfText(a, label)
  a.emit(0xba) // mov edx, length
  a.emit32(length)
  write(a)
}

function loadAddressOfText(a: Assembler, label: string): void {
  a.emit(0x48, 0x8d, 0x35, 0, 0, 0, 0) // lea rsi, [rip + label]
  a.reference(label, (code, offset, distance) => code.writeInt32LE(distance, offset - 4))
}

function writeHostname(a: Assembler): void {
  a.emit(0x48, 0x8d, 0x74, 0x24, 65) // lea rsi, [rsp + 65]: utsname.nodename
  a.emit(0x31, 0xd2) // xor edx, edx
  a.label('length')
  a.emit(0x80, 0x3c, 0x16, 0) // cmp byte [rsi + rdx], 0
  jump(a, 0x74, 'measured') // je
  a.emit(0xff, 0xc2) // inc edx
  jump(a, 0xeb, 'length') // jmp
  a.label('measured')
  write(a)
}

function writeAddress(a: Assembler): void {
  a.emit(0xbf, 2, 0, 0, 0) // mov edi, AF_INET
  a.emit(0xbe, 2, 0, 0, 0) // mov esi, SOCK_DGRAM
  a.emit(0x31, 0xd2) // xor edx, edx
  systemCall(a, call.socket)
  a.emit(0x97) // xchg edi, eax
  a.emit(0x48, 0xb8, ...Buffer.from('eth0\0\0\0\0')) // mov rax, 'eth0'
  a.emit(0x48, 0x89, 0x84, 0x24, 0x90, 1, 0, 0) // mov [rsp + 400], rax: ifr_name
  a.emit(0xbe) // mov esi, SIOCGIFADDR
  a.emit32(SIOCGIFADDR)
  a.emit(0x48, 0x8d, 0x94, 0x24, 0x90, 1, 0, 0) // lea rdx, [rsp + 400]
  systemCall(a, call.ioctl)
  a.emit(0x85, 0xc0) // test eax, eax
  jump(a, 0x79, 'format') // jns
  loadAddressOfText(a, 'noAddress')
  a.emit(0xba, helloText.noAddress.length, 0, 0, 0) // mov edx, length
  jump(a, 0xeb, 'print') // jmp
  a.label('format')
  formatAddress(a)
  a.label('print')
  write(a)
}

/** Four bytes at rsp + 420 to dotted decimal at rsp + 440; leaves its start in rsi, its length in edx. */
function formatAddress(a: Assembler): void {
  a.emit(0x48, 0x8d, 0xb4, 0x24, 0xa4, 1, 0, 0) // lea rsi, [rsp + 420]
  a.emit(0x48, 0x8d, 0xbc, 0x24, 0xb8, 1, 0, 0) // lea rdi, [rsp + 440]
  a.emit(0xb9, 4, 0, 0, 0) // mov ecx, 4
  a.label('byte')
  a.emit(0x31, 0xc0, 0xac) // xor eax, eax; lodsb
  a.emit(0x3c, 10) // cmp al, 10
  jump(a, 0x72, 'ones') // jb
  a.emit(0x3c, 100) // cmp al, 100
  jump(a, 0x72, 'tens') // jb
  digit(a, 100)
  a.label('tens')
  digit(a, 10)
  a.label('ones')
  a.emit(0x04, 0x30, 0xaa) // add al, '0'; stosb
  a.emit(0xb0, 0x2e, 0xaa) // mov al, '.'; stosb
  a.emit(0xff, 0xc9) // dec ecx
  jump(a, 0x75, 'byte') // jnz
  a.emit(0x48, 0x8d, 0xb4, 0x24, 0xb8, 1, 0, 0) // lea rsi, [rsp + 440]
  a.emit(0x89, 0xfa, 0x29, 0xf2, 0xff, 0xca) // mov edx, edi; sub edx, esi; dec edx: without the last dot
}

/** Stores the digit of `unit` in ax; the rest stays in eax. */
function digit(a: Assembler, unit: number): void {
  a.emit(0xb3, unit) // mov bl, unit
  a.emit(0xf6, 0xf3) // div bl
  a.emit(0x04, 0x30, 0xaa) // add al, '0'; stosb
  a.emit(0x0f, 0xb6, 0xc4) // movzx eax, ah
}

function jump(a: Assembler, opcode: number, label: string): void {
  a.emit(opcode, 0)
  a.reference(label, (code, offset, distance) => code.writeInt8(distance, offset - 1))
}
