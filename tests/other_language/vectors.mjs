// Checks the worked values of the two pages, bytes against bytes, and says which it checked as JSON.
//
//   node vectors.mjs docs/commands.md docs/events.md

import { strict as assert } from 'node:assert';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';

import {
  decode, encode, jcs, keyId, opened, privateKey, publicKey, rawPublic, signed, toBeSigned,
} from './bytes.mjs';
import { openedReply, payload } from './commands.mjs';
import * as journal from './journal.mjs';

const [commandsPage, eventsPage] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));
const checked = [];

function block(page, name) {
  const found = page.match(new RegExp(`<!-- ${name}: begin -->\n\`\`\`\\w+\n([^]*?)\n\`\`\``));
  assert(found, `no ${name} in the page`);
  return found[1];
}

// --- docs/commands.md ----------------------------------------------------------------------------

// Name to {field: text}; a field's further lines are indented under it.
function vectors(text) {
  const all = {};
  let one, field;
  for (const line of text.split('\n')) {
    const [, indent, word, rest] = line.match(/^( *)(?:(\S(?: ?\S)*) {2,})?(.*)$/);
    if (indent === '') [one, field] = [(all[line] = {}), undefined];
    else if (word === undefined) one[field] += rest;
    else [field, one[word]] = [word, rest];
  }
  return all;
}

function diagnostic(value) {
  if (Buffer.isBuffer(value)) return `h'${value.toString('hex')}'`;
  if (Array.isArray(value)) return `[${value.map(diagnostic).join(', ')}]`;
  if (!(value instanceof Map)) return JSON.stringify(value);
  return `{${[...value].map(([key, one]) => `${diagnostic(key)}: ${diagnostic(one)}`).join(', ')}}`;
}

const COMMAND_FIELDS = ['verb', 'to', 'issued', 'expires', 'id', 'arguments', 'nonce'];

function checkMessage(name, said, key, purpose) {
  const bytes = Object.fromEntries(
    ['payload', 'signed', 'message'].map((field) => [field, Buffer.from(said[field], 'hex')]));
  const fields = decode(bytes.payload);
  assert.equal(diagnostic(fields), said.says, `${name}: what it says`);
  assert.deepEqual(encode(fields), bytes.payload, `${name}: its payload`);
  assert.deepEqual(signed(bytes.payload, key, purpose), bytes.message, `${name}: the message`);
  const header = decode(bytes.message).value[0];
  assert.deepEqual(toBeSigned(header, bytes.payload, purpose), bytes.signed, `${name}: signed`);
  assert.deepEqual(opened(bytes.message, rawPublic(key), purpose), bytes.payload, name);
  if (name.startsWith('command: ')) {
    const one = Object.fromEntries([...fields].map(([at, value]) => [COMMAND_FIELDS[at - 1], value]));
    if (one.arguments) one.arguments = Object.fromEntries(one.arguments);
    assert.deepEqual(payload(one), bytes.payload, `${name}: made from its fields`);
  } else {
    assert.equal(openedReply(bytes.message, rawPublic(key)).verb, fields.get(8), name);
  }
  // No byte of it can be another, and it counts for no other purpose.
  assert.throws(() => opened(bytes.message, rawPublic(key), 'gate/other/1'), name);
  for (const at of bytes.message.keys()) {
    const other = Buffer.from(bytes.message);
    other[at] ^= 1;
    assert.throws(() => opened(other, rawPublic(key), purpose), `${name}: byte ${at}`);
  }
}

const messages = vectors(block(commandsPage, 'vectors'));
for (const [name, said] of Object.entries(messages)) {
  if ('private' in said) {
    const raw = rawPublic(privateKey(Buffer.from(said.private, 'hex')));
    assert.equal(raw.toString('hex'), said.public, name);
    assert.equal(keyId(raw).toString('hex'), said['key id'], name);
  } else {
    const ours = name.startsWith('command: ');
    const whose = messages[ours ? 'command key' : "kiosk's signing key"];
    const key = privateKey(Buffer.from(whose.private, 'hex'));
    checkMessage(name, said, key, ours ? 'gate/command/1' : 'gate/reply/1');
  }
  checked.push(name);
}

const { signing } = JSON.parse(block(commandsPage, 'kiosk'));
const shownRaw = Buffer.from(signing.public, 'base64url');
assert.equal(shownRaw.toString('hex'), messages["kiosk's signing key"].public);
assert.equal(keyId(shownRaw).toString('hex'), signing.key_id);
checked.push('kiosk');

// --- docs/events.md ------------------------------------------------------------------------------

// Name to value, a line each.
function values(text) {
  const lines = text.split('\n').map((line) => line.trim().replace(/:$/, ''));
  return lines.flatMap((line, at) => (at % 2 ? [] : [[line, lines[at + 1]]]));
}

const event = JSON.parse(block(eventsPage, 'event'));
const links = values(block(eventsPage, 'links'));
const shown = (words) => {
  const found = links.filter(([name]) => name.startsWith(words));
  assert.equal(found.length, 1, words);
  return found[0][1];
};
const salt = createHmac('sha256', Buffer.from(shown("the row's salt"), 'hex')).update('holder');
assert.equal(salt.digest().subarray(0, 16).toString('base64url'), shown('salt of holder'));
assert.equal(event.data.salts.holder, shown('salt of holder'));
assert.equal(
  journal.hashedForCommitment(event.data.salts.holder, 'holder', event.data.holder),
  shown('hashed for its commitment'));
assert.equal(
  journal.commitment(event.data.salts.holder, 'holder', event.data.holder), shown('commitment'));
assert.deepEqual(journal.altered(event), []);
assert.deepEqual(
  journal.altered({ ...event, data: { ...event.data, holder: 'bert' } }), ['holder']);
assert.equal(journal.hashedForLink(event), shown('hashed for the link'));
assert.equal(journal.link(event), shown('link'));
checked.push('event');

for (const [json, canonical] of values(block(eventsPage, 'numbers'))) {
  assert.equal(jcs(JSON.parse(json)), canonical);
}
checked.push('numbers');

const said = Object.fromEntries(values(block(eventsPage, 'checkpoint')));
const pinned = Buffer.from(said['the public key'], 'hex');
assert.equal(keyId(pinned).toString('hex'), said['its id']);
const message = Buffer.from(said.signature, 'base64url');
const { value: [header, , inside, signature] } = decode(message);
assert.equal(inside.toString('hex'), said['its payload']);
assert.equal(encode(decode(inside)).toString('hex'), said['its payload']);
assert.equal(
  toBeSigned(header, inside, 'gate/checkpoint/1').toString('hex'),
  said['what is signed (Sig_structure of RFC 9052)']);
assert.equal(signature.toString('hex'), said['the signature of that (Ed25519)']);
const read = journal.checkpoint({ data: { signature: said.signature } }, pinned);
assert.equal(read.sequence, Number(said.until));
assert.equal(read.link.toString('hex'), said.link);
assert.equal(publicKey(pinned).asymmetricKeyType, 'ed25519');
checked.push('checkpoint');

console.log(JSON.stringify(checked));
