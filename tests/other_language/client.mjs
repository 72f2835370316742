// A community's backend in another language, at a running kiosk. Its only word is one line of JSON.
//
//   node client.mjs BROKER_URL KIOSK_JSON OFFICE_PEM ACCESS_POINT [NODE_MODULES]
//
// It pins the kiosk by what `gate-agent key show --json` printed, reads its events, unlocks a door,
// sends what somebody else signed, and asks for all events again.

import { createPrivateKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { keyId, rawPublic } from './bytes.mjs';
import { openedReply, signedCommand } from './commands.mjs';
import { verified } from './journal.mjs';

const [url, kioskFile, officeFile, accessPoint, modules] = process.argv.slice(2);
const require = createRequire(modules === undefined ? import.meta.url : join(modules, 'here.js'));
const mqtt = require('mqtt');

const kiosk = JSON.parse(readFileSync(kioskFile));
const pinned = Buffer.from(kiosk.signing.public, 'base64url');
const office = createPrivateKey(readFileSync(officeFile));
const base = `gate/${kiosk.kiosk}`;
const WITHIN_MS = 60_000;

// --- what comes ----------------------------------------------------------------------------------

const heard = [];
let looking = () => {};

// The first of `found()` that is something; asked again with each message.
function until(what, found) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not heard in time: ${what}`)), WITHIN_MS);
    looking = () => {
      const one = found();
      if (one === undefined) return;
      clearTimeout(late);
      looking = () => {};
      resolve(one);
    };
    looking();
  });
}

const below = (topic) => heard.filter((one) => one.topic.startsWith(`${base}/${topic}`));
const last = (topic) => below(topic).at(-1);
const parsed = (messages) => messages.map((one) => JSON.parse(one.payload));

const client = mqtt.connect(url, { protocolVersion: 5, clientId: 'office-in-node', reconnectPeriod: 0 });
client.on('message', (topic, payload, packet) => {
  heard.push({ topic, payload, correlation: packet.properties?.correlationData });
  looking();
});

// --- what is said --------------------------------------------------------------------------------

function command(verb, given = {}) {
  const issued = Math.floor(Date.now() / 1000);
  return {
    verb, to: kiosk.kiosk, issued, expires: issued + 8, id: randomBytes(16), arguments: given,
  };
}

async function send(one, key = office) {
  const properties = {
    responseTopic: `${base}/replies/node`, correlationData: Buffer.from(one.id.subarray(0, 4)),
  };
  const message = signedCommand(one, key, keyId(rawPublic(office)));
  await client.publishAsync(`${base}/commands`, message, { qos: 1, properties });
}

// Those of its id; a reply that another key signed throws.
const replies = (one) => below('replies/node').filter(
  (message) => openedReply(message.payload, pinned).command.equals(one.id));

async function ask(one) {
  await send(one);
  const message = await until(`the reply to ${one.verb}`, () => replies(one)[0]);
  if (!message.correlation?.equals(one.id.subarray(0, 4))) throw new Error('another correlation');
  return openedReply(message.payload, pinned);
}

const eventsOf = (one) => parsed(below('events/')).filter(
  (event) => event.data.command === one.id.toString('hex'));

// The same events as somebody on their way might leave them.
function spoilt(events) {
  const middle = events.length >> 1, copy = () => structuredClone(events);
  const [changed, moved, covered] = [copy(), copy(), copy()];
  changed[middle].time = changed[0].time;
  [moved[middle].sequence, moved[middle + 1].sequence] = [events[middle + 1], events[middle]].map(
    (event) => event.sequence);
  const { data } = covered.find((event) => event.data.salts !== undefined);
  data[Object.keys(data.salts)[0]] = 'nobody';
  return { removed: events.filter((_, at) => at !== middle), changed, moved, covered };
}

// --- the day of an office ------------------------------------------------------------------------

async function day() {
  await client.subscribeAsync(`${base}/#`, { qos: 1 });
  const carried = JSON.parse((await until('keys', () => last('keys'))).payload);
  const { epoch } = JSON.parse((await until('status', () => last('status'))).payload);

  const unlock = command('unlock', { access_point: accessPoint });
  const unlocked = await ask(unlock);
  const told = await until('the event of the unlock', () => eventsOf(unlock)[0]);

  // By a key of its own, under the name of the office's. The health that is asked next, over the same
  // connection, is answered behind it.
  const forged = command('unlock', { access_point: accessPoint });
  await send(forged, generateKeyPairSync('ed25519').privateKey);
  const asked = command('health');
  const health = await ask(asked);
  await until('the event of the health', () => eventsOf(asked)[0]);

  const live = below('events/').filter((one) => JSON.parse(one.payload).epoch === epoch);
  const newest = Math.max(...parsed(live).map((event) => Number(event.sequence)));
  const range = await ask(command('range', { epoch, first: 1, last: newest }));
  const sent = range.result.get('sent');
  await until('the range', () => (below('ranges').length >= sent ? true : undefined));
  const again = new Map(below('ranges').map((one) => [JSON.parse(one.payload).id, one.payload]));

  const journal = parsed(below('ranges'));
  return {
    keys_agree: carried.signing.public === kiosk.signing.public,
    unlock: { outcome: unlocked.outcome, kiosk: unlocked.kiosk, verb: unlocked.verb },
    event: { type: told.type, key: told.data.key, verb: told.data.verb },
    forged: {
      replies: replies(forged).length,
      events: eventsOf(forged).length,
      counted: health.result.get('commands_refused').get('forged'),
    },
    range: {
      outcome: range.outcome,
      asked: newest,
      sent,
      missing: range.result.get('missing'),
      same: live.filter((one) => again.get(JSON.parse(one.payload).id)?.equals(one.payload)).length,
      heard_live: live.length,
    },
    journal: verified(journal, pinned),
    noticed: Object.fromEntries(Object.entries(spoilt(journal)).map(
      ([what, events]) => [what, verified(events, pinned).flaws])),
    by_another_key: verified(journal, rawPublic(generateKeyPairSync('ed25519').privateKey)),
  };
}

client.on('error', (error) => {
  console.error(error.message);
  process.exit(1);
});
client.once('connect', async () => {
  try {
    console.log(JSON.stringify(await day()));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
  // What still comes would be acknowledged over a connection that is closed.
  await client.unsubscribeAsync(`${base}/#`);
  await client.endAsync();
});
