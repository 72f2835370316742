// A reader of a kiosk's events, as docs/events.md ("How a reader verifies it") says one verifies.

import { decode, jcs, opened, sha256 } from './bytes.mjs';

export const NOTHING_BEFORE = '0'.repeat(64);

export function hashedForLink(event) {
  const { salts, ...data } = event.data;
  for (const name of Object.keys(data.commitments ?? {})) delete data[name];
  return jcs({ ...event, data });
}

export const link = (event) => sha256(hashedForLink(event)).toString('hex');

export const hashedForCommitment = (salt, name, value) => jcs([salt, name, value]);

export const commitment = (salt, name, value) =>
  sha256(hashedForCommitment(salt, name, value)).toString('base64url');

// Names of the covered values that are not what the kiosk wrote down.
export function altered(event) {
  const { commitments = {}, salts = {} } = event.data;
  const covered = new Set([...Object.keys(commitments), ...Object.keys(salts)]);
  return [...covered].filter((name) => {
    const has = Object.hasOwn(event.data, name), salted = Object.hasOwn(salts, name);
    if (!has && !salted) return false; // withheld, or erased
    if (!has || !salted) return true;
    return commitment(salts[name], name, event.data[name]) !== commitments[name];
  });
}

const FIELDS = ['source', 'epoch', 'sequence', 'link', 'time', 'trusted'];

// What the kiosk signed in an event journal.checkpoint, by its pinned key.
export function checkpoint(event, pinned) {
  const signature = Buffer.from(event.data.signature, 'base64url');
  const payload = decode(opened(signature, pinned, 'gate/checkpoint/1'));
  return Object.fromEntries(FIELDS.map((name, at) => [name, payload.get(at + 1)]));
}

// What is wrong with the events of one epoch, in words; `signed` is the newest number that the
// kiosk's pinned key vouches for.
export function verified(events, pinned) {
  const flaws = [], links = new Map();
  let before = null, signedTo = 0;
  for (const event of [...events].sort((a, b) => (a.sequence < b.sequence ? -1 : 1))) {
    const number = Number(event.sequence);
    const flaw = (words) => flaws.push(`${number}: ${words}`);
    if (before !== null && number !== Number(before.sequence) + 1) flaw('something is missing');
    const chained = before?.previous !== undefined;
    if (event.previous === undefined ? chained : event.previous !== (
      chained ? links.get(number - 1) : NOTHING_BEFORE)) flaw('does not follow');
    for (const name of altered(event)) flaw(`${name} is altered`);
    if (event.type === 'gate.journal.checkpoint') {
      try {
        const said = checkpoint(event, pinned);
        const same = said.source === event.source && said.epoch === event.epoch
          && said.sequence === Number(event.data.until) && said.link.toString('hex') === event.data.link
          && said.link.toString('hex') === links.get(said.sequence);
        if (same) signedTo = said.sequence;
        else flaw('its checkpoint is of something else');
      } catch (error) {
        flaw(`its checkpoint: ${error.message}`);
      }
    }
    links.set(number, link(event));
    before = event;
  }
  return { flaws, signed: signedTo };
}
