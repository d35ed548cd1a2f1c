// Receipts, sealed parts, materials: docs/protocol.md, sections 7 to 9. Written from the document alone.
import { createDecipheriv, createHmac, createPrivateKey, createPublicKey, diffieHellman } from "node:crypto";
import * as lines from "./lines.mjs";
import { base64, hasExactly, holds, isHash, isInstant, isInt, isNumber, isObject, isText, need, points, readJson, readSigned, Refused, sha256, TYPES, wholeLines } from "./lines.mjs";

// 7. Receipts.
const text = (one, least, most) => isText(one) && points(one) >= least && points(one) <= most;
const list = (one, most) => Array.isArray(one) && one.length <= most;

export function readReceipt(raw, ring, me, source) {
  const cut = wholeLines(raw);
  need(raw.length <= 262144 && cut.rest === 0 && cut.lines.length >= 1 && cut.lines.length <= 9, "R-1", "lines");
  const line = cut.lines.pop();
  for (const one of cut.lines) ring.admit(one);
  const signed = readSigned(line, TYPES.receipt);
  const certificate = bySomeoneCurrent(signed, ring, "R-1");
  const fields = readJson(signed.payload);
  const names = ["v", "frm", "to", "iat", "hello", "cat", "channels", "refused"];
  need(hasExactly(fields, names) && fields.get("v") === 1, "R-1", "fields");
  const get = (name) => fields.get(name);
  need(get("frm") === certificate.place && get("to") === me, "R-1", "parties");
  need(source === undefined || source === certificate.place, "R-1", "source");
  need(isInstant(get("iat")) && typeof get("hello") === "boolean" && isNumber(get("cat"), 0), "R-1", "iat, hello, cat");
  need(list(get("channels"), 64) && get("channels").every(isChannel), "R-1", "channels");
  need(list(get("refused"), 200) && get("refused").every(isRefusal), "R-1", "refused");
  return { frm: certificate.place, hello: get("hello"), channels: get("channels") };
}

function bySomeoneCurrent(signed, ring, code) {
  const [signature] = signed.signatures;
  const certificate = ring.byFingerprint.get(signature.keyid);
  need(certificate && ring.current.get(certificate.place) === certificate, code, "not current");
  holds(certificate, signature.sig, signed.bytes, code);
  return certificate;
}

function isChannel(one) {
  if (!hasExactly(one, ["ep", "upto", "missing", "waiting", "quarantined"])) return false;
  const upto = one.get("upto");
  const ranges = [one.get("missing"), one.get("waiting")].every((found) => areRanges(found, upto));
  const aside = one.get("quarantined");
  return text(one.get("ep"), 1, 64) && isNumber(upto, 0) && ranges && list(aside, 200) && aside.every((each) => isAside(each, upto));
}

const isAside = (one, upto) =>
  hasExactly(one, ["seq", "rule", "reason"]) && isNumber(one.get("seq")) && one.get("seq") <= upto &&
  text(one.get("rule"), 0, 16) && text(one.get("reason"), 0, 200);
const isRefusal = (one) =>
  hasExactly(one, ["parcel", "rule", "reason"]) && text(one.get("parcel"), 0, 64) && text(one.get("rule"), 0, 16) &&
  text(one.get("reason"), 0, 200);

function areRanges(found, upto) {
  if (!list(found, 200)) return false;
  let before = -1;
  return found.every((one) => {
    if (!Array.isArray(one) || one.length !== 2 || !one.every((each) => isNumber(each))) return false;
    const [first, last] = one;
    const good = first >= before + 2 && first <= last && last <= upto;
    before = last;
    return good;
  });
}

// 8. The sealed part.
const ALGORITHM = "HPKE-X25519-SHA256-A128GCM+A256GCM";

export function openSealed(event, place, secret) {
  const { enc } = event;
  const shut = (holds) => need(holds, "refused", "sealed");
  shut(enc !== null && enc.get("alg") === ALGORITHM && Array.isArray(enc.get("keys")));
  const own = enc.get("keys").find((one) => isObject(one) && one.get("place") === place);
  shut(own !== undefined);
  const bound = Buffer.from(`liandong-seal-v1|${event.id}|${event.frm}|${event.kind}|${event.case?.no ?? ""}`);
  try {
    const key = hpkeOpen(base64(own.get("key")), secret, bound);
    return readJson(openGcm("aes-256-gcm", key, base64(enc.get("nonce")), base64(enc.get("ct")), bound));
  } catch {
    throw new Refused("refused", "sealed");
  }
}

function openGcm(cipher, key, nonce, sealed, associated) {
  need(sealed.length >= 16, "refused", "tag");
  const opener = createDecipheriv(cipher, key, nonce, { authTagLength: 16 });
  opener.setAAD(associated).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([opener.update(sealed.subarray(0, -16)), opener.final()]);
}

const hmac = (key, ...parts) => createHmac("sha256", key).update(Buffer.concat(parts.map((one) => Buffer.from(one)))).digest();
const extract = (suite, salt, label, ikm) => hmac(salt.length ? salt : Buffer.alloc(32), "HPKE-v1", suite, label, ikm);
const expand = (suite, prk, label, info, length) =>
  hmac(prk, [length >> 8, length & 255], "HPKE-v1", suite, label, info, [1]).subarray(0, length);

function hpkeOpen(sealed, secret, info) {
  const kem = Buffer.from("KEM\x00\x20", "latin1");
  const suite = Buffer.from("HPKE\x00\x20\x00\x01\x00\x01", "latin1");
  const enc = sealed.subarray(0, 32);
  const privateKey = createPrivateKey({ key: Buffer.concat([Buffer.from("302e020100300506032b656e04220420", "hex"), secret]), format: "der", type: "pkcs8" });
  const theirs = createPublicKey({ key: { kty: "OKP", crv: "X25519", x: enc.toString("base64url") }, format: "jwk" });
  const own = Buffer.from(createPublicKey(privateKey).export({ format: "jwk" }).x, "base64url");
  const shared = diffieHellman({ privateKey, publicKey: theirs });
  const nothing = Buffer.alloc(0);
  const kemSecret = expand(kem, extract(kem, nothing, "eae_prk", shared), "shared_secret", Buffer.concat([enc, own]), 32);
  const context = Buffer.concat([Buffer.from([0]), extract(suite, nothing, "psk_id_hash", ""), extract(suite, nothing, "info_hash", info)]);
  const prk = extract(suite, kemSecret, "secret", "");
  const key = expand(suite, prk, "key", context, 16);
  return openGcm("aes-128-gcm", key, expand(suite, prk, "base_nonce", context, 12), sealed.subarray(32), nothing);
}

// 9. Materials.
const MAX_BLOB = 33554432;

export function openBlob(blob, key) {
  const magic = Buffer.from("LDB1");
  need(blob.subarray(0, 4).equals(magic), "refused", "not a blob");
  const found = [];
  for (let at = 4, number = 0; number === 0 || at < blob.length; at += 65552, number += 1) {
    const nonce = Buffer.alloc(12);
    nonce.writeUInt32BE(number, 7);
    nonce[11] = at + 65552 >= blob.length ? 1 : 0;
    try {
      found.push(openGcm("aes-256-gcm", key, nonce, blob.subarray(at, at + 65552), magic));
    } catch {
      throw new Refused("refused", `segment ${number}`);
    }
  }
  return Buffer.concat(found);
}

function parties(signed, ring, me, source) {
  const certificate = bySomeoneCurrent(signed, ring, "B-2");
  const fields = readJson(signed.payload);
  need(fields.get("v") === 1 && fields.get("frm") === certificate.place && fields.get("to") === me, "B-3", "parties");
  need(source === certificate.place, "B-3", "source");
  return fields;
}

export function readAsk(raw, ring, me, source) {
  const cut = wholeLines(raw);
  need(raw.length <= 196608 && cut.rest === 0 && cut.lines.length >= 1 && cut.lines.length <= 9, "B-1", "lines");
  const line = cut.lines.pop();
  for (const one of cut.lines) ring.admit(one);
  const fields = parties(readSigned(line, TYPES["blob-ask"]), ring, me, source);
  const ranges = fields.get("ranges");
  need(list(ranges, 16) && ranges.length >= 1 && ranges.every(isSpan), "B-1", "ranges");
  need(isInt(fields.get("piece")) && text(fields.get("no"), 1, 50) && isHash(fields.get("blob")), "B-1", "fields");
  return { blob: fields.get("blob"), ranges, piece: Math.max(1024, Math.min(fields.get("piece"), 196608)) };
}

const isSpan = (one) =>
  Array.isArray(one) && one.length === 2 && one.every(isInt) && one[0] >= 0 && one[0] < one[1] && one[1] <= MAX_BLOB;

export function readPiece(raw, ring, me, source) {
  const end = raw.indexOf(10);
  const line = end < 0 ? raw : raw.subarray(0, end);
  const data = end < 0 ? Buffer.alloc(0) : raw.subarray(end + 1);
  need(line.length <= 4096 && data.length <= 196608, "B-1", "size");
  const fields = parties(readSigned(line, TYPES["blob-piece"]), ring, me, source);
  const at = fields.get("at");
  const none = fields.has("none") ? fields.get("none") : "";
  need(isInt(at) && at >= 0 && at <= MAX_BLOB && isHash(fields.get("blob")), "B-1", "at, blob");
  need(text(none, 0, 16) && !(none && data.length), "B-1", "none");
  need(sha256(data) === fields.get("sha256"), "B-4", "bytes");
  return { blob: fields.get("blob"), at, bytes: data.length, none };
}

export const { isPlace } = lines;
