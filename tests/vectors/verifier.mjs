// A second verifier of the protocol, in Node.js with its standard library alone, written from docs/protocol.md and
// docs/protocol-steps.md.
//
//   node verifier.mjs VECTORS.json…     every vector answered anew; what differs is printed, and the exit code is 1
//   node verifier.mjs FILE.evidence [ROOT]   what is wrong with an evidence file, as [line, code]
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Reader } from "./channels.mjs";
import { answer, openEdition } from "./city.mjs";
import * as lines from "./lines.mjs";
import { hasExactly, isHash, isInstant, isText, KeyRing, need, readJson, readSigned, Refused, sha256, TYPES } from "./lines.mjs";
import * as mail from "./mail.mjs";
import { advance, begin, readBody } from "./steps.mjs";

// Evidence files: docs/protocol.md, section 10.
function examine(raw, root) {
  const found = { problems: [], state: "", told: 0 };
  const { lines: all, rest } = lines.wholeLines(raw);
  const wrong = (line, code) => found.problems.push([line, code]);
  const attempt = (line, code, action) => {
    try {
      return action();
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      wrong(line, code ?? (refused.code === "refused" ? "E-6" : refused.code));
      return null;
    }
  };
  if (rest || all.length < 4 || all.length > 20000) {
    wrong(all.length + 1, "E-1");
    return found;
  }
  const head = attempt(1, "E-1", () => readHead(all[0])) ?? { no: "", by: "" };
  const ring = attempt(2, "E-2", () => new KeyRing(all[1]));
  if (!ring) return found;
  if (root !== undefined && root !== ring.root.fingerprint) wrong(2, "E-2");
  all.forEach((line, at) => {
    if (at >= 2 && kindOf(line) === TYPES.certificate) attempt(at + 1, "E-2", () => ring.admit(line));
  });
  checkSeal(all, ring, head, attempt, wrong);
  tell(all, ring, head, attempt, wrong, found);
  return found;
}

function readHead(line) {
  const head = readJson(line);
  const good = hasExactly(head, ["v", "evidence", "made", "by"]) && head.get("v") === 1 && isInstant(head.get("made"));
  need(good && isText(head.get("evidence")) && isText(head.get("by")), "E-1", "head");
  return { no: head.get("evidence"), by: head.get("by") };
}

function kindOf(line) {
  if (!line.subarray(0, 12).equals(Buffer.from('{"payload":"'))) return "event";
  return [TYPES.certificate, TYPES.statement, TYPES.evidence].find((one) => line.includes(`"payloadType":"${one}"`)) ?? "event";
}

function checkSeal(all, ring, head, attempt, wrong) {
  const last = all.length;
  const seal = attempt(last, "E-3", () => readSeal(all[last - 1], ring));
  if (!seal) return;
  const names = seal.get("lines");
  if (names.length !== last - 1) wrong(last, "E-3");
  for (let at = 0; at < Math.min(names.length, last); at += 1) if (sha256(all[at]) !== names[at]) wrong(at + 1, "E-4");
  if (seal.get("case") !== head.no || seal.get("frm") !== head.by) wrong(last, "E-3");
}

function readSeal(line, ring) {
  const signed = readSigned(line, TYPES.evidence);
  const certificate = ring.byFingerprint.get(signed.signatures[0].keyid);
  need(certificate, "E-3", "unknown certificate");
  lines.holds(certificate, signed.signatures[0].sig, signed.bytes, "E-3");
  const seal = readJson(signed.payload);
  need(hasExactly(seal, ["v", "case", "frm", "cert", "iat", "lines"]) && seal.get("v") === 1, "E-3", "fields");
  const names = seal.get("lines");
  need(isInstant(seal.get("iat")) && Array.isArray(names) && names.every(isHash), "E-3", "iat, lines");
  need(seal.get("frm") === certificate.place && seal.get("cert") === certificate.fingerprint, "E-3", "certificate");
  return seal;
}

function tell(all, ring, head, attempt, wrong, found) {
  const statements = claims(all);
  let kept = null;
  for (let at = 1; at < all.length - 1; at += 1) {
    if (kindOf(all[at]) !== "event") continue;
    const statement = statements.get(sha256(all[at]));
    if (!statement) {
      wrong(at + 1, "E-5");
      continue;
    }
    const told = attempt(at + 1, null, () => {
      const event = lines.prove(all[at], statement, ring);
      need((event.case ? event.case.no : event.body.get("no")) === head.no, "E-6", "another case");
      return { kept: event.case ? fold(kept, { ...event, ...event.case }) : kept };
    });
    if (!told) continue;
    kept = told.kept;
    found.told += 1;
  }
  if (kept) found.state = `${kept.state} ${kept.n}`;
  else wrong(all.length, "E-6");
}

function claims(all) {
  const found = new Map();
  for (const line of all.slice(1, -1).filter((one) => kindOf(one) === TYPES.statement)) {
    try {
      const names = readJson(readSigned(line, TYPES.statement).payload).get("events");
      if (Array.isArray(names)) for (const name of names) found.set(name, line);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
    }
  }
  return found;
}

function fold(kept, step) {
  const body = readBody(step.kind, step.body);
  return kept === null ? begin(step, body) : advance(kept, step, body);
}

// Vectors: tests/vectors/frozen.py tells how they are written.
const CAST = JSON.parse(readFileSync(new URL("cast.json", import.meta.url), "utf-8"));

const joined = (parts) =>
  Buffer.concat(
    parts.map((one) => {
      if (isText(one)) return Buffer.from(one);
      if ("b64" in one) return Buffer.from(one.b64, "base64");
      if ("of" in one) return Buffer.from(one.of.repeat(one.times));
      return Buffer.from("line" in one ? CAST.lines[one.line] : "\n");
    }),
  );

function ringOf(vector) {
  const ring = new KeyRing(Buffer.from(CAST.lines.root));
  for (const one of vector.ring) ring.admit(isText(one) ? Buffer.from(CAST.lines[one]) : joined(one));
  return ring;
}

const asMap = (value) => {
  if (Array.isArray(value)) return value.map(asMap);
  if (value === null || typeof value !== "object") return value;
  return new Map(Object.entries(value).map(([key, one]) => [key, asMap(one)]));
};
const asObject = (value) => {
  if (Array.isArray(value)) return value.map(asObject);
  return value instanceof Map ? Object.fromEntries([...value].map(([key, one]) => [key, asObject(one)])) : value;
};

// In the vectors step n is named by the SHA-256 of the digits of n.
function stepOf(kept, no, at, one) {
  const n = one.n ?? (kept ? kept.n + 1 : at);
  const prev = one.prev ?? (kept ? sha256(Buffer.from(String(kept.n))) : "");
  const name = sha256(Buffer.from(String(kept ? kept.n + 1 : at)));
  return { kind: one.kind, frm: one.frm, no, n, prev, name, cat: one.cat, body: asMap(one.body) };
}

function life(vector) {
  let kept = null;
  return vector.steps.map((one, at) => {
    const told = verdict(() => ((kept = fold(kept, stepOf(kept, vector.no, at + 1, one))), null));
    return told ?? `${kept.state} ${kept.speaker || "-"} ${kept.holder}`;
  });
}

function tries(vector, { bodies }) {
  const kept = vector.steps.reduce((was, one, at) => fold(was, stepOf(was, vector.no, at + 1, one)), null);
  const found = {};
  for (const [kind, body] of Object.entries(bodies)) {
    for (const frm of vector.by) {
      const step = stepOf(kept, vector.no, 0, { kind, frm, cat: 2, body });
      const after = verdict(() => fold(kept, step));
      if (!isText(after)) (found[kind] ??= {})[frm] = `${after.state} ${after.speaker || "-"}`;
    }
  }
  return found;
}

const CHECKS = {
  line: (vector) => (readJson(joined(vector.raw)), "ok"),
  signed: (vector) => {
    const found = readSigned(joined(vector.raw), vector.type, vector.most);
    return { payload: sha256(found.payload), pae: sha256(found.bytes) };
  },
  root: (vector) => new KeyRing(joined(vector.raw)).root.fingerprint,
  admit: (vector) => {
    const ring = ringOf(vector);
    const { place, generation, fingerprint } = ring.admit(joined(vector.raw));
    return { place, generation, fingerprint, current: ring.current.get(place)?.fingerprint === fingerprint };
  },
  event: (vector) => lines.readEvent(joined(vector.raw)).name,
  body: (vector) => (readBody(vector.kind, asMap(vector.body)), "ok"),
  parcel: (vector) => {
    const found = lines.openParcel(joined(vector.raw), ringOf(vector), vector.me, vector.now, vector.source);
    const refused = found.refused.map((one) => [sha256(one.line), one.code]);
    return { statement: found.statement.name, verified: found.verified.map((one) => one.name), refused };
  },
  prove: (vector) => lines.prove(joined(vector.event), joined(vector.statement), ringOf(vector)).name,
  receipt: (vector) => {
    const { frm, hello, channels } = mail.readReceipt(joined(vector.raw), ringOf(vector), vector.me, vector.source);
    return { frm, hello, upto: Object.fromEntries(channels.map((one) => [one.get("ep"), one.get("upto")])) };
  },
  ask: (vector) => mail.readAsk(joined(vector.raw), ringOf(vector), vector.me, vector.source),
  piece: (vector) => mail.readPiece(joined(vector.raw), ringOf(vector), vector.me, vector.source),
  blob: (vector) => sha256(mail.openBlob(joined(vector.raw), Buffer.from(vector.key, "base64"))),
  sealed: (vector) => {
    const event = lines.readEvent(joined(vector.raw));
    return asObject(mail.openSealed(event, CAST.places[vector.who], Buffer.from(CAST.seal_keys[vector.who], "base64")));
  },
  channel: (vector) => {
    const reader = new Reader(vector.me, vector.now, ringOf(vector));
    for (const [source, raw] of vector.deliveries) reader.deliver(source, joined(raw));
    return reader.told();
  },
  life,
  tries,
  edition: (vector) => {
    const found = openEdition(vector.edition, vector.documents);
    return { number: found.number, items: [...found.items.keys()].sort() };
  },
  routes: (vector) => {
    const edition = openEdition(vector.edition, vector.documents);
    const places = new Map(vector.places.map((one) => [one.code, one]));
    return vector.questions.map((one) => answer(edition, places, one));
  },
  evidence: (vector) => {
    const found = examine(joined(vector.raw), vector.root);
    return { ...found, problems: found.problems.sort(([a, x], [b, y]) => a - b || (x < y ? -1 : 1)) };
  },
};

function verdict(action) {
  try {
    return action();
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return refused.code;
  }
}

function answered(path) {
  const file = JSON.parse(readFileSync(path, "utf-8"));
  let odd = 0;
  for (const vector of file.vectors ?? []) {
    const found = verdict(() => CHECKS[vector.check](vector, file));
    if (isDeepStrictEqual(found, vector.expect)) continue;
    odd += 1;
    console.log(`${path} ${vector.name}: ${JSON.stringify(found)} instead of ${JSON.stringify(vector.expect)}`);
  }
  console.log(`${path} ${(file.vectors?.length ?? 0) - odd} of ${file.vectors?.length ?? 0} agree`);
  return odd;
}

const [first, ...others] = process.argv.slice(2);
if (first?.endsWith(".json")) {
  process.exitCode = [first, ...others].map(answered).some(Boolean) ? 1 : 0;
} else if (first) {
  const found = examine(readFileSync(first), others[0]);
  console.log(JSON.stringify(found));
  process.exitCode = found.problems.length ? 1 : 0;
}
