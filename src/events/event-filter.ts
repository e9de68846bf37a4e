import type { EventMessage, Filters } from '../api/index.ts'
import { matchesLabel } from '../contract/index.ts'

/** True when an event passes the `filters` of `GET /events`. It must match one value of each key, but all values of
 *  `label`.
 *  https://docs.docker.com/reference/cli/docker/system/events/#filter */
export function matchesEvent(event: EventMessage, filters: Filters): boolean {
  return Object.entries(filters).every(([key, values]) => {
    // All values of `label` must match, one value of every other key.
    if (key === 'label') return values.every((label) => matchesLabel(event.Actor.Attributes, label))
    return values.length === 0 || values.some((value) => matches(event, key, value))
  })
}

function matches(event: EventMessage, key: string, value: string): boolean {
  const { ID: id, Attributes: attributes } = event.Actor
  switch (key) {
    case 'event':
      return event.Action === value || event.Action.split(':')[0] === value
    case 'type':
      return event.Type === value
    case 'scope':
      return event.scope === value
    case 'image':
      return matchesImage(event, value)
    case 'container':
    case 'network':
    case 'volume':
    case 'daemon':
    case 'plugin':
      return matchesObject(event, key, value, id, attributes)
    default:
      return false
  }
}

function matchesObject(
  event: EventMessage,
  key: string,
  value: string,
  id: string,
  attributes: Readonly<Record<string, string>>,
): boolean {
  if (event.Type === key)
    return id === value || attributes.name === value || (id.startsWith(value) && value.length >= 4)
  return attributes[key] === value
}

function matchesImage(event: EventMessage, value: string): boolean {
  const { ID: id, Attributes: attributes } = event.Actor
  if (event.Type === 'image') {
    return (
      id === value ||
      attributes.name === value ||
      withoutTag(id) === value ||
      withoutTag(attributes.name ?? '') === value
    )
  }
  const image = attributes.image
  return image !== undefined && (image === value || withoutTag(image) === value)
}

function withoutTag(reference: string): string {
  return reference.replace(/:[\w.-]+$/, '')
}
