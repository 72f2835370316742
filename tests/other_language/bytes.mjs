// The formats that docs/commands.md and docs/events.md name, written from those pages and the RFCs
// they cite, with nothing of the agent: CBOR (RFC 8949, 4.2.1), COSE_Sign1 (RFC 9052), JCS (RFC 8785).

import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest();

// --- JCS -----------------------------------------------------------------------------------------

// sort() compares UTF-16 units and JSON.stringify writes numbers as ECMAScript does: both as RFC 8785.
export function jcs(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(jcs)}]`;
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`)}}`;
}

// --- CBOR ----------------------------------------------------------------------------------------

const INTEGER = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, LIST = 4, MAP = 5, TAG = 6, SIMPLE = 7;

export class Tagged {
  constructor(tag, value) {
    this.tag = tag;
    this.value = value;
  }
}

function head(kind, count) {
  const first = kind << 5;
  if (count < 24) return Buffer.from([first | count]);
  if (count < 0x100) return Buffer.from([first | 24, count]);
  const bytes = Buffer.alloc(count < 0x10000 ? 3 : count < 0x100000000 ? 5 : 9);
  bytes[0] = first | (bytes.length === 3 ? 25 : bytes.length === 5 ? 26 : 27);
  if (bytes.length === 9) bytes.writeBigUInt64BE(BigInt(count), 1);
  else bytes.writeUIntBE(count, 1, bytes.length - 1);
  return bytes;
}

// Maps are Map, byte strings Buffer; a number is an integer: a command has no other.
export function encode(value) {
  if (value === null) return Buffer.from([0xf6]);
  if (typeof value === 'boolean') return Buffer.from([value ? 0xf5 : 0xf4]);
  if (Number.isSafeInteger(value)) {
    return value < 0 ? head(NEGATIVE, -1 - value) : head(INTEGER, value);
  }
  if (Buffer.isBuffer(value)) return Buffer.concat([head(BYTES, value.length), value]);
  if (typeof value === 'string') {
    return Buffer.concat([head(TEXT, Buffer.byteLength(value)), Buffer.from(value)]);
  }
  if (Array.isArray(value)) return Buffer.concat([head(LIST, value.length), ...value.map(encode)]);
  if (value instanceof Tagged) return Buffer.concat([head(TAG, value.tag), encode(value.value)]);
  if (value instanceof Map) {
    const pairs = [...value].map(([key, one]) => [encode(key), encode(one)]);
    pairs.sort((one, other) => Buffer.compare(one[0], other[0]));
    return Buffer.concat([head(MAP, pairs.length), ...pairs.flat()]);
  }
  throw new Error(`no CBOR for ${typeof value}`);
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(count) {
    if (this.at + count > this.bytes.length) throw new Error('CBOR: cut off');
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  count(more) {
    if (more < 24) return more;
    if (more > 27) throw new Error('CBOR: of no definite length');
    const bytes = this.take(1 << (more - 24));
    const count = more === 27 ? Number(bytes.readBigUInt64BE()) : bytes.readUIntBE(0, bytes.length);
    if (!Number.isSafeInteger(count)) throw new Error('CBOR: a number beyond 2^53');
    return count;
  }

  read() {
    const [first] = this.take(1);
    const kind = first >> 5, more = first & 31;
    if (kind === SIMPLE) return this.simple(more);
    const count = this.count(more);
    if (kind === INTEGER) return count;
    if (kind === NEGATIVE) return -1 - count;
    if (kind === BYTES) return Buffer.from(this.take(count));
    if (kind === TEXT) return new TextDecoder('utf-8', { fatal: true }).decode(this.take(count));
    if (kind === LIST) return Array.from({ length: count }, () => this.read());
    if (kind === TAG) return new Tagged(count, this.read());
    const found = new Map();
    for (let left = count; left > 0; left -= 1) {
      const key = this.read();
      if (found.has(key)) throw new Error('CBOR: a key twice');
      found.set(key, this.read());
    }
    return found;
  }

  simple(more) {
    const known = { 20: false, 21: true, 22: null };
    if (more in known) return known[more];
    if (more === 25) return half(this.take(2).readUInt16BE());
    if (more === 26) return this.take(4).readFloatBE();
    if (more === 27) return this.take(8).readDoubleBE();
    throw new Error('CBOR: a simple value that nobody announced');
  }
}

function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.read();
  if (reader.at !== bytes.length) throw new Error('CBOR: something follows');
  return value;
}

// --- keys ----------------------------------------------------------------------------------------

const SPKI = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export const publicKey = (raw) =>
  createPublicKey({ key: Buffer.concat([SPKI, raw]), format: 'der', type: 'spki' });
export const privateKey = (raw) =>
  createPrivateKey({ key: Buffer.concat([PKCS8, raw]), format: 'der', type: 'pkcs8' });
// Of a private key its public half's.
export const rawPublic = (key) =>
  Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x, 'base64url');
export const keyId = (raw) => sha256(raw).subarray(0, 8);

// --- COSE_Sign1 ----------------------------------------------------------------------------------

const SIGN1 = 18, ALGORITHM = 1, KEY_ID = 4, EDDSA = -8;

export const toBeSigned = (header, payload, purpose) =>
  encode(['Signature1', header, Buffer.from(purpose), payload]);

// By `key`; the header may name another one's id, as a forger's would.
export function signed(payload, key, purpose, named = keyId(rawPublic(key))) {
  const header = encode(new Map([[ALGORITHM, EDDSA], [KEY_ID, named]]));
  const signature = sign(null, toBeSigned(header, payload, purpose), key);
  return encode(new Tagged(SIGN1, [header, new Map(), payload, signature]));
}

// The payload of a COSE_Sign1 that the holder of `raw`, a public key, signed for `purpose`.
export function opened(bytes, raw, purpose) {
  const message = decode(bytes);
  if (!(message instanceof Tagged) || message.tag !== SIGN1) throw new Error('no COSE_Sign1');
  const [header, unprotected, payload, signature] = message.value;
  const said = decode(header);
  if (unprotected.size !== 0 || said.get(ALGORITHM) !== EDDSA) throw new Error('another header');
  if (!keyId(raw).equals(said.get(KEY_ID))) throw new Error('by another key');
  if (!verify(null, toBeSigned(header, payload, purpose), publicKey(raw), signature)) {
    throw new Error('the signature is wrong');
  }
  return payload;
}
