/** The answer to one request. It counts the bytes of its body. */
import type { ServerResponse } from 'node:http'

export type AnswerHeaders = Readonly<Record<string, string | number>>

const jsonType = { 'Content-Type': 'application/json; charset=utf-8' } as const

export class RegistryAnswer {
  /** For bodies that are streamed. */
  readonly response: ServerResponse
  /** The request was `HEAD`: only headers are sent. */
  readonly isHead: boolean
  /** Bytes of the body that were handed to the connection so far. */
  sentBytes = 0

  constructor(response: ServerResponse, { isHead }: { readonly isHead: boolean }) {
    this.response = response
    this.isHead = isHead
  }

  /** Answers without a body. */
  sendEmpty(status: number, headers: AnswerHeaders = {}): void {
    const hasNone = status === 204 || status === 304
    this.response.writeHead(status, { ...headers, ...(hasNone ? {} : { 'Content-Length': 0 }) })
    this.response.end()
  }

  /** Answers with bytes; `HEAD` gets the headers only. */
  sendBytes(status: number, bytes: Buffer, headers: AnswerHeaders): void {
    this.response.writeHead(status, { 'Content-Length': bytes.length, ...headers })
    if (this.isHead) {
      this.response.end()
      return
    }
    this.sentBytes += bytes.length
    this.response.end(bytes)
  }

  /** Answers with JSON. */
  sendJson(status: number, value: unknown, headers: AnswerHeaders = {}): void {
    this.sendBytes(status, Buffer.from(JSON.stringify(value)), { ...jsonType, ...headers })
  }

  /** Answers with JSON while the client may still be sending. Calls `discard` to read the rest of the body, then ends
   *  the answer and with it the connection. A connection closed with unread bytes would be reset, and the answer
   *  lost. */
  sendLastJson(status: number, value: unknown, headers: AnswerHeaders, discard: () => Promise<void>): void {
    const bytes = Buffer.from(JSON.stringify(value))
    this.response.shouldKeepAlive = false
    this.response.writeHead(status, { 'Content-Length': bytes.length, ...jsonType, ...headers })
    if (!this.isHead) this.response.write(bytes)
    void discard().then(() => this.response.end())
  }
}
