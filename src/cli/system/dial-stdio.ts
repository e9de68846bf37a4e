import type { Command } from '../command/command.ts'

/** ssh starts this command on the daemon's machine, for a client on another one. */
export const command: Command = {
  usage: '',
  operands: { min: 0, max: 0 },
  flags: [],
  async run({ client, input, output }) {
    const socket = await client.connect()
    const stop = input.read(
      (chunk) => {
        if (socket.write(chunk)) return
        input.pause()
        socket.once('drain', () => input.resume())
      },
      // The daemon may still send an answer.
      () => socket.end(),
    )
    try {
      for await (const chunk of socket) output.write(chunk as Buffer)
    } finally {
      stop()
    }
    return 0
  },
}
