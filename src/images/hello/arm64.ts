/** The `hello` program for arm64 (Linux system calls: number in x8, arguments in x0 to x2). The stack
 *  holds `struct utsname` at 0, `struct ifreq` at 400 and the address's text at 440, as in `x64.ts`. */
import { Assembler } from './assembler.ts'
import { helloText } from './text.ts'

const call = { ioctl: 29, write: 64, exitGroup: 94, uname: 160, socket: 198 } as const
const SIOCGIFADDR = 0x8915
const sp = 31

/** The program's code and data. */
export function assembleArm64(): Buffer {
  const a = new Assembler()
  a.emit32(0xd10803ff) // sub sp, sp, #512
  addImmediate(a, 0, sp, 0)
  systemCall(a, call.uname)
  writeText(a, 'beforeHostname', helloText.beforeHostname.length)
  writeHostname(a)
  writeText(a, 'beforeAddress', helloText.beforeAddress.length)
  writeAddress(a)
  writeText(a, 'end', helloText.end.length)
  move(a, 0, 0)
  systemCall(a, call.exitGroup)
  for (const [name, text] of Object.entries(helloText)) {
    a.label(name)
    a.emit(...Buffer.from(text))
  }
  return a.link()
}

/** movz x<register>, #value */
function move(a: Assembler, register: number, value: number): void {
  a.emit32((0xd2800000 | (value << 5) | register) >>> 0)
}

/** add x<register>, x<base>, #value */
function addImmediate(a: Assembler, register: number, base: number, value: number): void {
  a.emit32((0x91000000 | (value << 10) | (base << 5) | register) >>> 0)
}

function systemCall(a: Assembler, number: number): void {
  move(a, 8, number)
  a.emit32(0xd4000001) // svc #0
}

/** write(1, x1, x2) */
function write(a: Assembler): void {
  move(a, 0, 1)
  systemCall(a, call.write)
}

function writeText(a: Assembler, label: string, length: number): void {
  loadAddressOfText(a, label)
  move(a, 2, length)
  write(a)
}

function loadAddressOfText(a: Assembler, label: string): void {
  a.reference(label, (code, offset, distance) => {
    code.writeUInt32LE((0x10000001 | ((distance & 3) << 29) | ((distance >> 2) << 5)) >>> 0, offset)
  })
  a.emit32(0) // adr x1, label
}

function writeHostname(a: Assembler): void {
  addImmediate(a, 1, sp, 65) // utsname.nodename
  move(a, 2, 0)
  a.label('length')
  a.emit32(0x38626823) // ldrb w3, [x1, x2]
  branch(a, 0x34000003, 'measured') // cbz w3
  addImmediate(a, 2, 2, 1)
  branch(a, 0x14000000, 'length') // b
  a.label('measured')
  write(a)
}

function writeAddress(a: Assembler): void {
  move(a, 0, 2) // AF_INET
  move(a, 1, 2) // SOCK_DGRAM
  move(a, 2, 0)
  systemCall(a, call.socket)
  const name = Buffer.from('eth0')
  move(a, 3, name.readUInt16LE(0))
  a.emit32((0xf2a00003 | (name.readUInt16LE(2) << 5)) >>> 0) // movk x3, #…, lsl #16
  a.emit32(0xf900cbe3) // str x3, [sp, #400]: ifr_name
  move(a, 1, SIOCGIFADDR)
  addImmediate(a, 2, sp, 400)
  systemCall(a, call.ioctl)
  branch(a, 0x34000000, 'format') // cbz w0
  loadAddressOfText(a, 'noAddress')
  move(a, 2, helloText.noAddress.length)
  branch(a, 0x14000000, 'print') // b
  a.label('format')
  formatAddress(a)
  a.label('print')
  write(a)
}

/** Four bytes at sp + 420 to dotted decimal at sp + 440; leaves its start in x1, its length in x2. */
function formatAddress(a: Assembler): void {
  addImmediate(a, 4, sp, 420)
  addImmediate(a, 5, sp, 440)
  move(a, 6, 4)
  move(a, 9, 100)
  move(a, 10, 10)
  a.label('byte')
  a.emit32(0x38401480) // ldrb w0, [x4], #1
  a.emit32(0x7100281f) // cmp w0, #10
  branch(a, 0x54000003, 'ones') // b.lo
  a.emit32(0x7101901f) // cmp w0, #100
  branch(a, 0x54000003, 'tens') // b.lo
  digit(a, 9)
  a.label('tens')
  digit(a, 10)
  a.label('ones')
  a.emit32(0x1100c000) // add w0, w0, #'0'
  a.emit32(0x380014a0) // strb w0, [x5], #1
  move(a, 0, 0x2e)
  a.emit32(0x380014a0) // strb w0, [x5], #1
  a.emit32(0xd10004c6) // sub x6, x6, #1
  branch(a, 0xb5000006, 'byte') // cbnz x6
  addImmediate(a, 1, sp, 440)
  a.emit32(0xcb0100a2) // sub x2, x5, x1
  a.emit32(0xd1000442) // sub x2, x2, #1: without the last dot
}

/** Stores the digit of the unit in w<unit>; the rest stays in w0. */
function digit(a: Assembler, unit: number): void {
  a.emit32((0x1ac00801 | (unit << 16)) >>> 0) // udiv w1, w0, w<unit>
  a.emit32((0x1b008020 | (unit << 16)) >>> 0) // msub w0, w1, w<unit>, w0
  a.emit32(0x1100c021) // add w1, w1, #'0'
  a.emit32(0x380014a1) // strb w1, [x5], #1
}

/** A branch with a 19-bit distance in bits 5 to 23, or 26 bits from 0 on for `b`. */
function branch(a: Assembler, opcode: number, label: string): void {
  a.reference(label, (code, offset, distance) => {
    const words = distance >> 2
    const field = opcode === 0x14000000 ? words & 0x3ffffff : (words & 0x7ffff) << 5
    code.writeUInt32LE((opcode | field) >>> 0, offset)
  })
  a.emit32(0)
}
