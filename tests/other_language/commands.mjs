// Commands and replies, as docs/commands.md gives their bytes.

import { decode, encode, opened, signed } from './bytes.mjs';

const COMMAND = 'gate/command/1', REPLY = 'gate/reply/1';

export function payload({ verb, to, issued, expires, id, arguments: given = {}, nonce }) {
  const fields = new Map([[1, verb], [2, to], [3, issued], [4, expires], [5, id]]);
  if (Object.keys(given).length > 0) fields.set(6, new Map(Object.entries(given)));
  if (nonce !== undefined) fields.set(7, nonce);
  return encode(fields);
}

export const signedCommand = (command, key, named) => signed(payload(command), key, COMMAND, named);

const FIELDS = ['command', 'kiosk', 'outcome', 'reason', 'result', 'time', 'trusted', 'verb'];

// A reply that the kiosk of the pinned key signed; what is not known in it is ignored.
export function openedReply(bytes, pinned) {
  const said = decode(opened(bytes, pinned, REPLY));
  return Object.fromEntries(FIELDS.map((name, at) => [name, said.get(at + 1) ?? null]));
}
