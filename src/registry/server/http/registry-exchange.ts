/** One request and its answer, as the registry's routes see them. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RegistryLimits } from '../model/registry-limits.ts'
import { IncomingBody, type RequestArrival } from './incoming-body.ts'
import { RegistryAnswer } from './registry-answer.ts'
import { RequestHead } from './request-head.ts'

export class RegistryExchange {
  readonly request: RequestHead
  readonly body: IncomingBody
  readonly answer: RegistryAnswer
  readonly startedAt = new Date()
  /** The user's name, as the authorizer found it. */
  user: string | undefined
  /** The protocol's code of the error that was answered, for the log. */
  errorCode: string | undefined

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    limits: Pick<RegistryLimits, 'idleMs'>,
    arrival: RequestArrival,
  ) {
    this.request = new RequestHead(request)
    this.body = new IncomingBody(request, response, limits, arrival)
    this.answer = new RegistryAnswer(response, this.request)
  }
}
