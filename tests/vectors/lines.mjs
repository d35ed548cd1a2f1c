// Lines, certificates, events, parcels: docs/protocol.md, sections 1 to 6. Written from the document alone.
import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";

export class Refused extends Error {
  constructor(code, why = "") {
    super(`${code} ${why}`);
    this.code = code;
  }
}

export const need = (holds, code, why) => {
  if (!holds) throw new Refused(code, why);
};
export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
export const isText = (one) => typeof one === "string";
export const isHash = (one) => isText(one) && /^[0-9a-f]{64}$/.test(one);
export const isInt = (one) => Number.isSafeInteger(one);
export const isNumber = (one, least = 1) => isInt(one) && one >= least && one <= 2 ** 31 - 1;
export const isObject = (one) => one instanceof Map;
export const isPlace = (one) => isText(one) && /^(?!00|..00)[0-9]{12}$/.test(one);
export const points = (text) => [...text].length;
export const hasExactly = (map, names) => isObject(map) && map.size === names.length && names.every((one) => map.has(one));
const inOrder = (map, names) => isObject(map) && [...map.keys()].join() === names.join();

export function isDay(one) {
  const found = isText(one) && /^(\d{4})-(\d{2})-(\d{2})$/.exec(one);
  if (!found) return false;
  const [year, month, day] = found.slice(1).map(Number);
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const longest = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= longest[month - 1];
}
export const isInstant = (one) =>
  isText(one) && /^.{10}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{3}Z$/s.test(one) && isDay(one.slice(0, 10));
export const millis = (instant) => Date.parse(instant);

// 2. Compact JSON. Objects become Maps: they keep the writer's order of keys, whatever the keys are.
export function readJson(bytes) {
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Refused("P-1", "UTF-8");
  }
  const reader = new JsonReader(text);
  need(text[0] === "{", "P-1", "not an object");
  const found = reader.value(1);
  need(reader.at === text.length, "P-1", "something follows");
  return found;
}

const SHORT = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", '"': '"', "\\": "\\" };

class JsonReader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }
  take(token) {
    need(this.text.startsWith(token, this.at), "P-1", `expected ${token}`);
    this.at += token.length;
  }
  next(token) {
    const here = this.text[this.at] === token;
    if (here) this.at += 1;
    return here;
  }
  value(depth) {
    switch (this.text[this.at]) {
      case "{":
        return this.object(depth);
      case "[":
        return this.list(depth);
      case '"':
        return this.string();
      case "t":
        return this.take("true"), true;
      case "f":
        return this.take("false"), false;
      case "n":
        return this.take("null"), null;
      default:
        return this.integer();
    }
  }
  object(depth) {
    need(depth <= 16, "P-1", "too deep");
    this.take("{");
    const found = new Map();
    if (this.next("}")) return found;
    do {
      const key = this.string();
      need(!found.has(key), "P-1", "duplicate key");
      this.take(":");
      found.set(key, this.value(depth + 1));
    } while (this.next(","));
    this.take("}");
    return found;
  }
  list(depth) {
    need(depth <= 16, "P-1", "too deep");
    this.take("[");
    const found = [];
    if (this.next("]")) return found;
    do found.push(this.value(depth + 1));
    while (this.next(","));
    this.take("]");
    return found;
  }
  string() {
    this.take('"');
    let found = "";
    for (;;) {
      const one = this.text[this.at++];
      need(one !== undefined && one >= " ", "P-1", "control character or end in a text");
      if (one === '"') return found;
      found += one === "\\" ? this.escape() : one;
    }
  }
  escape() {
    const one = this.text[this.at++];
    if (one in SHORT) return SHORT[one];
    need(one === "u", "P-1", "escape");
    const digits = this.text.slice(this.at, this.at + 4);
    this.at += 4;
    need(/^00[01][0-9a-f]$/.test(digits), "P-1", "escape");
    const meant = String.fromCharCode(parseInt(digits, 16));
    need(meant !== "\0" && !"\b\t\n\f\r".includes(meant), "P-1", "escape");
    return meant;
  }
  integer() {
    const [digits] = /^(?:-?[1-9][0-9]*|0)(?![0-9.eE])/.exec(this.text.slice(this.at, this.at + 40)) ?? [];
    need(digits !== undefined, "P-1", "not a value");
    this.at += digits.length;
    need(isInt(Number(digits)), "P-1", "integer too great");
    return Number(digits);
  }
}

// 3. Signed lines.
export const TYPES = Object.fromEntries(
  ["certificate", "statement", "receipt", "evidence", "blob-ask", "blob-piece"].map((one) => [
    one,
    `application/vnd.liandong.${one}+json;v=1`,
  ]),
);

export function base64(text, code = "P-2") {
  const found = isText(text) ? Buffer.from(text, "base64") : undefined;
  need(found && found.toString("base64") === text, code, "base64");
  return found;
}

export function readSigned(line, type, most = 1) {
  const outer = readJson(line);
  need(inOrder(outer, ["payload", "payloadType", "signatures"]), "P-2", "keys");
  need(outer.get("payloadType") === type, "P-2", "type");
  const listed = outer.get("signatures");
  need(Array.isArray(listed) && listed.length >= 1 && listed.length <= most, "P-2", "signatures");
  const payload = base64(outer.get("payload"));
  const signatures = listed.map((one) => {
    need(inOrder(one, ["keyid", "sig"]) && isText(one.get("keyid")), "P-2", "signature");
    return { keyid: one.get("keyid"), sig: base64(one.get("sig")) };
  });
  return { payload, signatures, bytes: pae(type, payload) };
}

const pae = (type, payload) =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);

export function holds(certificate, signature, bytes, code) {
  const good = signature.length === 64 && verifySignature(null, bytes, certificate.publicKey, signature);
  need(good, code, "signature");
}

// 4. Certificates and the key ring.
const FIELDS = ["v", "sub", "name", "tier", "iss", "by", "gen", "scope", "may", "grant", "alg", "key", "seal_alg", "seal", "nbf", "naf"];
const KIND = /^[a-z_]{1,30}\.[a-z_]{1,30}$/;
const listOf = (found, form) => Array.isArray(found) && found.length <= 1000 && found.every((one) => isText(one) && form.test(one));

export function readCertificate(line) {
  const signed = readSigned(line, TYPES.certificate, 4);
  const fields = readJson(signed.payload);
  need(hasExactly(fields, FIELDS) && fields.get("v") === 1, "P-4", "fields");
  const get = (name) => fields.get(name);
  need(["sub", "name", "iss", "by", "alg", "key", "seal_alg", "seal"].every((one) => isText(get(one))), "P-4", "texts");
  need(isPlace(get("sub")) && isPlace(get("iss")), "P-4", "places");
  need(listOf(get("scope"), /^[0-9]{4,12}$/) && get("scope").length >= 1 && isNumber(get("gen")), "P-4", "scope, gen");
  const key = base64(get("key"));
  const seal = base64(get("seal"));
  need(get("seal_alg") === "X25519" && seal.length === 32, "P-4", "seal");
  need(isInt(get("tier")) && get("tier") >= 3 && get("tier") <= 6, "P-4", "tier");
  need(listOf(get("may"), KIND) && listOf(get("grant"), KIND), "P-4", "powers");
  need(isInstant(get("nbf")) && isInstant(get("naf")), "P-4", "validity");
  need(get("alg") === "Ed25519" && key.length === 32, "P-3", "algorithm");
  const publicKey = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: key.toString("base64url") }, format: "jwk" });
  return {
    signed, publicKey, fingerprint: sha256(signed.payload), place: get("sub"), tier: get("tier"), issuer: get("iss"),
    by: get("by"), generation: get("gen"), scope: get("scope"), may: new Set(get("may")), grant: new Set(get("grant")),
    nbf: get("nbf"), naf: get("naf"),
  };
}

export const covers = (certificate, place) => certificate.scope.some((one) => place.startsWith(one));
const within = (inner, outer) => [...inner].every((one) => outer.has(one));

export class KeyRing {
  constructor(line) {
    const root = readCertificate(line);
    const [first] = root.signed.signatures;
    need(root.by === "" && root.issuer === root.place && first.keyid === root.fingerprint, "P-5", "no root");
    holds(root, first.sig, root.signed.bytes, "P-5");
    this.root = root;
    this.byFingerprint = new Map([[root.fingerprint, root]]);
    this.current = new Map();
  }
  admit(line) {
    const found = readCertificate(line);
    const known = this.byFingerprint.get(found.fingerprint);
    if (known) return known;
    const issuer = this.byFingerprint.get(found.by);
    need(issuer && found.issuer === issuer.place, "P-5", "issuer");
    const signatures = new Map(found.signed.signatures.map((one) => [one.keyid, one.sig]));
    need(signatures.has(issuer.fingerprint), "P-5", "not signed by its issuer");
    holds(issuer, signatures.get(issuer.fingerprint), found.signed.bytes, "P-5");
    this.inside(found, issuer);
    this.succession(found, issuer, signatures);
    this.byFingerprint.set(found.fingerprint, found);
    const current = this.current.get(found.place);
    if (!current || found.generation >= current.generation) this.current.set(found.place, found);
    return found;
  }
  inside(found, issuer) {
    need(found.scope.every((one) => covers(issuer, one)) && covers(found, found.place), "P-6", "scope");
    need(issuer === this.root || (within(found.may, issuer.grant) && within(found.grant, issuer.grant)), "P-6", "powers");
    need(found.tier > issuer.tier || (issuer === this.root && found.place === issuer.place), "P-6", "tier");
    need(millis(issuer.nbf) <= millis(found.nbf) && millis(found.naf) <= millis(issuer.naf), "P-6", "validity");
  }
  succession(found, issuer, signatures) {
    const current = this.current.get(found.place);
    if (!current) return;
    need(found.generation !== current.generation, "P-5", "generation");
    const witnesses = [current, this.byFingerprint.get(issuer.by)].filter((one) => one && one !== issuer);
    const witness = witnesses.find((one) => signatures.has(one.fingerprint));
    need(witness, "P-5", "no witness");
    holds(witness, signatures.get(witness.fingerprint), found.signed.bytes, "P-5");
  }
}

// 5. Events.
const EVENT = ["v", "id", "kind", "frm", "ep", "to", "iat", "cat", "cls", "body"];
const EVENT_TOO = ["case", "enc"];

export function readEvent(raw) {
  need(raw.length <= 65536, "P-8", "size");
  const fields = readJson(raw);
  const names = [...fields.keys()];
  need(EVENT.every((one) => fields.has(one)) && names.every((one) => EVENT.includes(one) || EVENT_TOO.includes(one)), "P-8", "fields");
  const get = (name) => fields.get(name);
  const form = (name, pattern) => need(isText(get(name)) && pattern.test(get(name)), "P-8", name);
  need(get("v") === 1, "P-8", "v");
  form("id", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  form("kind", KIND);
  form("ep", /^[0-9A-Za-z_-]{1,64}$/);
  need(isPlace(get("frm")) && isInstant(get("iat")) && isNumber(get("cat"), 0), "P-8", "frm, iat, cat");
  need(["public", "internal", "personal"].includes(get("cls")), "P-8", "cls");
  need(isObject(get("body")) && (!fields.has("enc") || isObject(get("enc"))), "P-8", "body, enc");
  const to = readers(get("to"));
  const step = fields.has("case") ? caseOf(get("case")) : null;
  return {
    raw, name: sha256(raw), id: get("id"), kind: get("kind"), frm: get("frm"), ep: get("ep"), to, cat: get("cat"),
    case: step, body: get("body"), enc: get("enc") ?? null,
  };
}

function readers(found) {
  need(Array.isArray(found) && found.length <= 64, "P-8", "to");
  need(found.every((one) => hasExactly(one, ["place", "seq"]) && isPlace(one.get("place")) && isNumber(one.get("seq"))), "P-8", "to");
  const to = new Map(found.map((one) => [one.get("place"), one.get("seq")]));
  need(to.size === found.length, "P-8", "a place twice");
  return to;
}

function caseOf(found) {
  need(hasExactly(found, ["no", "n", "prev"]), "P-8", "case");
  const [no, n, prev] = ["no", "n", "prev"].map((one) => found.get(one));
  need(isText(no) && /^[0-9]{12}[0-9A-Z]{1,38}$/.test(no) && isPlace(no.slice(0, 12)), "P-8", "case.no");
  need(isNumber(n) && (n === 1 ? prev === "" : isHash(prev)), "P-8", "case.n, case.prev");
  return { no, n, prev };
}

// 6. Statements and parcels.
const WEEK = 7 * 24 * 3600 * 1000;
const PUBLISHED = ["catalogue.item", "catalogue.deed", "catalogue.bundle", "catalogue.calendar", "catalogue.edition", "roster.place"];
const SUBMISSIONS = ["case.supplement_sent", "case.withdrawal_asked"];
export const isStep = (kind) => kind.startsWith("case.") && !SUBMISSIONS.includes(kind);

export function openStatement(line, ring) {
  const signed = readSigned(line, TYPES.statement);
  const [signature] = signed.signatures;
  const certificate = ring.byFingerprint.get(signature.keyid);
  need(certificate, "P-3", "unknown certificate");
  holds(certificate, signature.sig, signed.bytes, "P-7");
  const fields = readJson(signed.payload);
  need(hasExactly(fields, ["v", "frm", "cert", "iat", "events"]) && fields.get("v") === 1, "P-7", "fields");
  const names = fields.get("events");
  need(isInstant(fields.get("iat")) && Array.isArray(names) && names.every(isHash), "P-7", "iat, events");
  need(names.length >= 1 && names.length <= 64 && new Set(names).size === names.length, "P-7", "events");
  need(fields.get("frm") === certificate.place && fields.get("cert") === certificate.fingerprint, "P-7", "certificate");
  return { name: sha256(line), names, certificate };
}

export function wholeLines(raw) {
  const lines = [];
  let from = 0;
  for (let at = raw.indexOf(10); at >= 0; at = raw.indexOf(10, from)) {
    lines.push(raw.subarray(from, at));
    from = at + 1;
  }
  return { lines, rest: raw.length - from };
}

const marks = (type) => `"payloadType":"${type}"`;

function cut(raw) {
  need(raw.length <= 262144, "P-0", "size");
  const { lines, rest } = wholeLines(raw);
  need(rest === 0 && lines.length > 0, "P-0", "whole lines");
  let at = 0;
  while (at < lines.length && lines[at].subarray(-2048).includes(marks(TYPES.certificate))) at += 1;
  need(at <= 8 && at < lines.length && lines[at].includes(marks(TYPES.statement)), "P-0", "no statement");
  need(lines.length - at - 1 <= 64, "P-0", "events");
  return { certificates: lines.slice(0, at), statement: lines[at], events: lines.slice(at + 1) };
}

export function openParcel(raw, ring, me, now, source) {
  const lines = cut(raw);
  for (const line of lines.certificates) ring.admit(line);
  const statement = openStatement(lines.statement, ring);
  need(source === undefined || source === statement.certificate.place, "P-13", "source");
  const named = new Set(statement.names);
  const verified = [];
  const refused = [];
  for (const line of lines.events) {
    let event = null;
    try {
      need(named.delete(sha256(line)), "P-8", "not named");
      event = readEvent(line);
      admissible(event, statement.certificate, me, now);
      verified.push(event);
    } catch (wrong) {
      if (!(wrong instanceof Refused)) throw wrong;
      refused.push({ line, event, code: wrong.code });
    }
  }
  return { statement, verified, refused };
}

function admissible(event, certificate, me, now) {
  const moment = millis(now);
  need(millis(certificate.nbf) - WEEK <= moment && moment <= millis(certificate.naf) + WEEK, "P-9", "validity");
  entitled(event, certificate);
  need(PUBLISHED.includes(event.kind) ? event.to.size === 0 : event.to.has(me), "P-12", "reader");
}

function entitled(event, certificate) {
  need(event.frm === certificate.place && certificate.may.has(event.kind), "P-10", "power");
  need((event.case !== null) === isStep(event.kind), "P-10", "case");
  need(event.case === null || covers(certificate, event.case.no.slice(0, 12)), "P-11", "jurisdiction");
}

export function prove(line, statementLine, ring) {
  const statement = openStatement(statementLine, ring);
  need(statement.names.includes(sha256(line)), "P-8", "not named");
  const event = readEvent(line);
  entitled(event, statement.certificate);
  return event;
}
