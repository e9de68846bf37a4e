/** Random names for containers without one: a maritime adjective and a word for a ship or harbor. Both lists are
 *  Berth's own. */
import { randomInt } from 'node:crypto'

const qualities = (
  'able ample amber azure blithe brave breezy bright brisk calm candid clear clever coastal copper coral crisp ' +
  'daring deft distant eager early easy even fair fast firm fleet fresh gentle gilded glad golden grand green hardy ' +
  'hazy hearty honest humble idle jolly keen kind lasting level light lively loyal lucid lunar mellow merry mild ' +
  'misty modest nimble noble northern open patient plucky polar proud quick quiet rapid ready robust rolling rosy ' +
  'sandy serene sharp silent silver simple sleek smooth solar solid southern spry stable starry steady still stout ' +
  'sturdy sunny supple swift tidal tidy tranquil trim true upbeat vast vivid warm watchful western wise witty young'
).split(' ')

const things = (
  'anchor atoll barge bay beacon berth bollard bow boom bosun breeze bridge brig buoy cabin canal canoe cape capstan ' +
  'caravel catamaran channel chart clipper cog compass coracle cove crane current cutter davit deck delta dhow dinghy ' +
  'dock dory estuary fender ferry fjord float frigate galleon galley gangway gull gunwale halyard harbour hatch haven ' +
  'hawser helm horizon hull inlet island jetty jib junk kayak keel ketch kraken lagoon lantern launch lighthouse lock ' +
  'lugger mainsail marina mast mole mooring narwhal oar osprey outrigger packet pelican pier pilot pinnace port prow ' +
  'puffin punt quay raft reef regatta rigging rudder sail schooner sextant shoal skiff sloop spar spray strait tern ' +
  'tide tiller topsail trawler tug wave wharf whale winch wherry xebec yacht yawl'
).split(' ')

/** Gives a random name that is free according to `isTaken`. After ten tries it appends a digit. */
export function randomName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const base = `${pick(qualities)}_${pick(things)}`
    const name = attempt < 10 ? base : `${base}${randomInt(10 ** Math.min(9, attempt - 9))}`
    if (!isTaken(name)) return name
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'berth'
}

/** Docker's rule for container names. */
export const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
