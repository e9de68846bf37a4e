/** One question to one upstream server by TCP, on a connection of its own. */
import { Socket } from 'node:net'
import { connectStreamSocket } from '../../sys/index.ts'
import { framed, MessageReader } from './framing.ts'
import { isAnswerTo, type Query } from './message.ts'
import type { Enter } from './upstream-socket.ts'

const dnsPort = 53

/** Sends a question. After an answer `failed` may still be called; the caller ignores that. Returns a function that
 *  gives the question up. Throws the system's error if the connection can't begin. */
export function askByStream(
  address: string,
  enter: Enter,
  query: Query,
  answered: (response: Buffer) => void,
  failed: (error: Error) => void,
): () => void {
  const fd = enter(() => connectStreamSocket(address, dnsPort))
  const socket = new Socket({ fd, readable: true, writable: true })
  const reader = new MessageReader((response) => {
    if (!isAnswerTo(response, query, query.id)) return
    answered(response)
    socket.destroy()
  })
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
  socket.on('error', failed)
  socket.on('end', () => failed(new Error('the server closed the connection')))
  socket.unref()
  socket.write(framed(query.bytes))
  return () => socket.destroy()
}
