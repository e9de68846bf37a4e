/** Another machine: a network namespace that is connected to the host by a cable, with its default route through the
 *  host. */
import { spawnSync } from 'node:child_process'
import { runCommand, runOrThrow } from '../command.ts'

let count = 0

export class Outside implements AsyncDisposable {
  readonly netns: string
  /** The host's end of the veth pair. */
  readonly near: string
  /** Both ends of the veth pair. */
  readonly address: string
  readonly hostAddress: string
  readonly address6: string
  readonly hostAddress6: string

  private constructor() {
    count += 1
    const number = (process.pid * 7 + count) % 16384
    this.netns = `bo${process.pid}x${count}`
    this.near = `${this.netns}h`.slice(-15)
    // 198.18.0.0/15 is for tests (RFC 2544).
    const base = `198.${18 + Math.floor(number / 8192)}.${Math.floor((number % 8192) / 64) * 2}`
    const host = (number % 64) * 4
    this.hostAddress = `${base}.${host + 1}`
    this.address = `${base}.${host + 2}`
    this.hostAddress6 = `fd0b:${number.toString(16)}::1`
    this.address6 = `fd0b:${number.toString(16)}::2`
  }

  /** Creates one; with `await using` it is removed with the test. */
  static async make(): Promise<Outside> {
    const outside = new Outside()
    const { near, netns } = outside
    const ip = (...args: string[]) => runOrThrow('ip', args)
    try {
      await ip('netns', 'add', netns)
      await ip('link', 'add', near, 'type', 'veth', 'peer', 'name', 'cable', 'netns', netns)
      await ip('addr', 'add', `${outside.hostAddress}/30`, 'dev', near)
      await ip('addr', 'add', `${outside.hostAddress6}/64`, 'dev', near, 'nodad')
      await ip('link', 'set', near, 'up')
      await ip('-n', netns, 'addr', 'add', `${outside.address}/30`, 'dev', 'cable')
      await ip('-n', netns, 'addr', 'add', `${outside.address6}/64`, 'dev', 'cable', 'nodad')
      await ip('-n', netns, 'link', 'set', 'cable', 'up')
      await ip('-n', netns, 'link', 'set', 'lo', 'up')
      await ip('-n', netns, 'route', 'add', 'default', 'via', outside.hostAddress)
      await ip('-n', netns, '-6', 'route', 'add', 'default', 'via', outside.hostAddress6)
    } catch (error) {
      await outside[Symbol.asyncDispose]()
      throw error
    }
    return outside
  }

  /** The text of a page; '' if it cannot be fetched. */
  async page(url: string): Promise<string> {
    const curl = ['curl', '-g', '-s', '--max-time', '2', url]
    return (await runCommand('ip', ['netns', 'exec', this.netns, ...curl])).stdout.trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    spawnSync('ip', ['netns', 'del', this.netns], { stdio: 'ignore' })
  }
}
