// Skeletons and the fold of a case: docs/protocol-steps.md, sections 1 to 5. The tables of sections 1 and 2 are read from it.
import { readFileSync } from "node:fs";
import { isDay, isHash, isInt, isObject, isPlace, isText, need, points, Refused } from "./lines.mjs";

const DOCUMENT = readFileSync(new URL("../../docs/protocol-steps.md", import.meta.url), "utf-8");
const rows = (name) =>
  DOCUMENT.split(`<!-- ${name} -->`)[1].split("<!-- end -->")[0].trim().split("\n").slice(2)
    .map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));

// 1. Skeletons.
const ACT = "`on: day`, `by: text ..40`";
const CLOCKED =
  '`due: day or null = null`, `statutory_due: day or null = null`, `provisional: bool = false`, `calendar: text ..500 = ""`, `part_due: day or null = null`';

const fieldsOf = (cell) =>
  new Map(
    [...cell.replace("*act*", ACT).replace("*clocked*", CLOCKED).matchAll(/`(\w+): ([^`]*?)(?: = ([^`]*))?`/g)].map(
      ([, name, type, absent]) => [name, { holds: typeOf(type), absent: absent === undefined ? undefined : JSON.parse(absent) }],
    ),
  );

const between = (span, size) => {
  const [least, most] = (span?.trim() || "..").split("..");
  return size >= Number(least || -Infinity) && size <= Number(most || Infinity);
};
const PLAIN = {
  day: isDay,
  bool: (one) => typeof one === "boolean",
  place: isPlace,
  hash: isHash,
  "hash?": (one) => one === "" || isHash(one),
  time: (one) => isText(one) && /^([01][0-9]|2[0-3]):[0-5][0-9]$/.test(one),
  object: isObject,
  seat: (one) => isText(one) && /^(centre|hub|[0-9]{12})$/.test(one),
  totals: (one) => isObject(one) && [...one.values()].every((each) => isObject(each) && [...each.values()].every(isInt)),
  null: (one) => one === null,
};

function typeOf(words) {
  const list = /^\[(.*)\]( .*)?$/.exec(words);
  if (list) {
    const inner = typeOf(list[1]);
    return (one) => Array.isArray(one) && between(list[2], one.length) && one.every(inner);
  }
  if (words.includes(" or ")) {
    const any = words.split(" or ").map(typeOf);
    return (one) => any.some((each) => each(one));
  }
  if (/^["0-9]/.test(words)) {
    const allowed = words.split(" / ").map((one) => JSON.parse(one));
    return (one) => allowed.includes(one);
  }
  if (words in PLAIN) return PLAIN[words];
  const [kind, span] = words.split(" ");
  if (kind === "id") return (one) => isText(one) && /^[0-9A-Za-z_-]+$/.test(one) && between(span, one.length);
  if (kind === "text") return (one) => isText(one) && between(span, points(one));
  if (kind === "int") return (one) => isInt(one) && between(span, one);
  return (one) => isObject(one) && complete(one, kind) !== null;
}

const SKELETONS = new Map(
  [...rows("bodies"), ...rows("documents")].map(([kind, fields]) => [kind.replaceAll("`", ""), fieldsOf(fields)]),
);

function complete(body, kind) {
  const found = {};
  for (const [name, { holds, absent }] of SKELETONS.get(kind)) {
    const value = body.has(name) ? body.get(name) : absent;
    if (body.has(name) ? !holds(value) : absent === undefined) return null;
    found[name] = value;
  }
  return found;
}

// 6. Documents: a value for each field, those of a bundle's parts too.
export function readDocument(kind, found) {
  const document = isObject(found) ? complete(found, kind) : null;
  need(document, "refused", kind);
  if (kind === "bundle") need(isBundle(document), "refused", kind);
  return document;
}

function isBundle({ lead, steps, workdays }) {
  const parts = steps.map((one) => complete(one, "BundleStep"));
  const others = parts.some((one) => one.department.get("code") !== lead.get("code"));
  return inOrder(parts) && others && longestPath(parts) <= workdays;
}

export function readBody(kind, body) {
  const found = complete(body, kind);
  need(found, "P-14", kind);
  return found;
}

// 2. A case is the fold of its steps.
const MOVES = new Map();
for (const [kind, from, to, turn, guards] of rows("moves")) {
  for (const state of from.split(", ")) {
    const names = [...guards.matchAll(/`(\w+)`/g)].map(([, name]) => name);
    MOVES.set(`${kind.replaceAll("`", "")} ${state}`, { to, turn, guards: names });
  }
}

const refuse = (why) => {
  throw new Refused("refused", why);
};

export function begin(step, body) {
  const first = step.kind === "case.filed" && step.n === 1 && step.prev === "" && step.no.slice(0, 12) === step.frm;
  if (!first) refuse("no first step");
  return {
    no: step.no, item: body.item, origin: step.frm, state: "filed", n: 1, head: step.name, holder: step.frm,
    speaker: body.to, target: body.to, resume: "received", edition: step.cat, missing: body.missing, corrections: 0,
    received_on: null, notice_by: null, accepted_on: null, due: null, statutory_due: null, mode: "", route: "",
    two_person: true, pending: [], reviewer: "", clock: null, joint: null,
  };
}

export function advance(before, step, body) {
  const move = MOVES.get(`${step.kind} ${before.state}`);
  if (step.n !== before.n + 1 || step.prev !== before.head) refuse("chain");
  if (!move || step.frm !== before.speaker) refuse("move or turn");
  for (const name of move.guards) if (GUARDS[name](before, step, body)) refuse(name);
  const clock = moved(before.clock, step, body);
  const noted = NOTES[step.kind]?.(before, step, body) ?? {};
  const days = "statutory_due" in body && body.due !== null ? { due: body.due, statutory_due: body.statutory_due } : {};
  const target = ["case.forwarded", "case.redirected"].includes(step.kind) ? body.to : "";
  const after = { ...before, ...days, ...noted, clock, n: step.n, head: step.name, target };
  after.state = stateAfter(move.to, before, clock);
  after.speaker = { holder: after.holder, target, origin: before.origin, nobody: "" }[move.turn];
  return after;
}

function stateAfter(to, before, clock) {
  if (to === "same") return before.state;
  if (to === "*resume*") return before.resume;
  const [state, while_] = to.split(", or same ");
  return while_ && clock.open.length ? before.state : state;
}

// 3. Guards and notes.
const BLANK = /^[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]*$/;
const blank = (text) => BLANK.test(text);
const without = (list, taken) => list.filter((one) => !taken.includes(one));
const elsewhere = (was, step, body) => body.to === step.frm || step.cat < was.edition;
const late = (was, body) =>
  ("defects" in body && body.defects < body.materials.length) || (was.notice_by !== null && body.on > was.notice_by);

const GUARDS = {
  elsewhere,
  newer: (was, step, body) => step.cat <= was.edition || elsewhere(was, step, body),
  once: (was) => was.corrections > 0,
  in_time: (was, step, body) => late(was, body),
  refusable: (was, step, body) => body.ground === "不属于本机关职权" && blank(body.body),
  still_lacking: (was, step, body) =>
    body.ground !== "申请人要求退回材料" && (was.corrections === 0 || (body.ground === "补正后仍不齐全" && !was.missing.length)),
  accepted_rightly: (was, step, body) => {
    if (body.due < body.on || (body.pending.length && body.follow_up === null)) return true;
    if (body.deemed) return was.received_on !== null && body.on !== was.received_on;
    if ((body.mode === "特急" && !body.leader) || late(was, body)) return true;
    return without(was.missing, body.pending).length > 0 && was.corrections === 0;
  },
  pending: (was, step, body) => without(body.materials, was.pending).length > 0,
  clocked: (was) => was.clock === null,
  suspendable: (was, step, body) => blank(body.basis),
  extendable: (was, step, body) => {
    const last = was.statutory_due ?? was.due;
    if (body.approver === body.by || (last !== null && body.on > last)) return true;
    if (body.days > (was.mode === "联合" ? 15 : 10)) return true;
    return body.due === null || (was.due !== null && body.due < was.due);
  },
  voidable: (was, step, body) => body.approver === body.by,
  two_persons: (was, step, body) => was.two_person && (was.reviewer === "" || was.reviewer === body.by),
  authorised: (was, step, body) => body.authorisation === "" || (was.route === "集体讨论" && body.minutes === ""),
  reasons: (was, step, body) => !body.reasons,
  supplied: (was) => was.pending.length > 0 && was.mode !== "特急",
  agreed: (was, step, body) =>
    was.joint !== null && was.joint.answers.some((one) => one.outcome === "不同意") && !was.joint.minutes.length && body.minutes === "",
  joint_rightly: (was, step, body) => !opensRightly(was, body),
  joint_answered: (was, step, body) => !closesRightly(was.joint, body),
};

const NOTES = {
  "case.taken": (was, step, body) => ({
    holder: step.frm,
    ...(was.received_on === null ? { received_on: body.received_on, notice_by: body.notice_by } : {}),
  }),
  "case.forwarded": (was, step) => ({ edition: step.cat, resume: was.accepted_on === null ? "received" : "accepted" }),
  "case.redirected": (was, step) => ({ edition: step.cat }),
  "case.accepted": (was, step, body) => ({
    accepted_on: body.on, mode: body.mode, route: body.route, two_person: body.two_person, pending: body.pending,
    reviewer: body.mode === "即办" && !body.deemed ? body.by : "",
  }),
  "case.returned": (was) => ({ corrections: was.corrections + 1 }),
  "case.corrected": (was, step, body) => ({
    missing: without(was.missing, body.materials), received_on: body.received_on ?? was.received_on, notice_by: body.notice_by,
  }),
  "case.supplied": (was, step, body) => ({
    pending: without(was.pending, body.materials), missing: without(was.missing, body.materials),
  }),
  "case.joint_opened": (was, step, body) => ({ joint: { open: true, parts: body.parts.map(partOf), answers: [], minutes: [] } }),
  "case.joint_closed": (was, step, body) => ({
    joint: { ...was.joint, open: false, answers: body.answers.map(answerOf), minutes: body.minutes },
  }),
  "case.reviewed": (was, step, body) => ({ reviewer: body.by }),
  "case.remanded": () => ({ reviewer: "" }),
};
const partOf = (one) => complete(one, "Part");
const answerOf = (one) => complete(one, "Answer");

// 4. The clock.
const ENDS = ["case.granted", "case.refused", "case.withdrawn", "case.terminated", "case.voided"];

function moved(clock, step, body) {
  if (step.kind === "case.accepted") return freshClock(body);
  if (clock === null) return null;
  const running = () => (clock.stopped || body.on < clock.accepted ? refuse("clock") : clock.open);
  switch (step.kind) {
    case "case.suspended":
      if (running().some((one) => one.special === body.special)) refuse("open already");
      return { ...clock, open: [...clock.open, { special: body.special, on: body.on }] };
    case "case.resumed": {
      const at = running().findIndex((one) => one.special === body.special);
      if (at < 0 || body.on < clock.open[at].on) refuse("not open");
      return { ...clock, open: clock.open.toSpliced(at, 1) };
    }
    case "case.extended":
      if (clock.extended) refuse("extended before");
      return { ...clock, extended: true };
    default:
      if (!ENDS.includes(step.kind)) return clock;
      if (clock.stopped) refuse("stopped");
      return { ...clock, stopped: true };
  }
}

function freshClock(body) {
  const clock = body.clock;
  const names = ["accepted", "promised", "statutory", "suspensions", "extension", "stretches", "stopped"];
  const exact = clock.size === names.length && names.every((one) => clock.has(one));
  const empty = (one) => Array.isArray(one) && one.length === 0;
  const good =
    exact && clock.get("accepted") === body.on && body.on >= "1949" && body.on < "3000" && isLimit(clock.get("promised")) &&
    (clock.get("statutory") === null || isLimit(clock.get("statutory"))) && empty(clock.get("suspensions")) &&
    clock.get("extension") === null && empty(clock.get("stretches")) && clock.get("stopped") === null;
  if (!good) refuse("clock");
  return { accepted: body.on, open: [], extended: false, stopped: false };
}

const isLimit = (one) =>
  isObject(one) && one.size === 2 && isInt(one.get("value")) && one.get("value") >= 0 && one.get("value") <= 3650 &&
  ["工作日", "自然日", "月"].includes(one.get("unit"));

// 5. Joint handling.
function opensRightly(was, body) {
  const parts = body.parts.map(partOf);
  if (!inOrder(parts)) return false;
  const byKey = keyed(parts);
  const assists = parts.filter((one) => one.assists);
  if (!assists.length || assists.some((one) => one.department === body.lead)) return false;
  if (longestPath(parts) > 45) return false;
  if (parts.some((one) => one.due < body.on || one.due > body.until)) return false;
  if (parts.some((one) => one.after.some((key) => byKey.get(key).due > one.due))) return false;
  return !(was.due !== null && body.on < was.due && was.due < body.until);
}

const keyed = (parts) => new Map(parts.map((one) => [one.key, one]));

function inOrder(parts) {
  const byKey = keyed(parts);
  return byKey.size === parts.length && parts.every((one) => one.after.every((key) => byKey.has(key)));
}

// Infinite where the parts wait for each other in a circle.
function longestPath(parts) {
  const byKey = keyed(parts);
  const from = (key, above) => {
    if (above.includes(key)) return Infinity;
    const { workdays, after } = byKey.get(key);
    return workdays + Math.max(0, ...after.map((one) => from(one, [...above, key])));
  };
  return Math.max(...parts.map((one) => from(one.key, [])));
}

function closesRightly(joint, body) {
  if (joint === null || !joint.open) return false;
  const answers = body.answers.map(answerOf);
  const asked = joint.parts.filter((one) => one.assists);
  const named = new Set(answers.map((one) => one.part));
  if (answers.length !== asked.length || !asked.every((one) => named.has(one.key))) return false;
  return answers.every((one) => {
    if (!["超时默许", "缺席默认"].includes(one.outcome)) return one.opinion !== "";
    if (one.opinion !== "" || one.person === "") return false;
    const { due } = asked.find((part) => part.key === one.part);
    return one.outcome === "超时默许" ? body.on > due : body.minutes.length > 0;
  });
}
