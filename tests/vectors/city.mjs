// Editions and routing: docs/protocol.md, section 11, and docs/protocol-steps.md, section 6. Written from the document alone.
import { readDocument } from "./steps.mjs";
import { isDay, isHash, isInt, isObject, isText, need, readJson, Refused, sha256 } from "./lines.mjs";

const sorted = (value) =>
  isObject(value)
    ? `{${[...value].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, one]) => `${JSON.stringify(key)}:${sorted(one)}`)}}`
    : JSON.stringify(value);

function compact(text) {
  try {
    return readJson(Buffer.from(text));
  } catch {
    throw new Refused("refused", "compact JSON");
  }
}

export function openEdition(text, documents) {
  const edition = compact(text);
  const names = edition.get("documents");
  const good =
    isInt(edition.get("number")) && edition.get("number") >= 1 && isHash(edition.get("hash")) &&
    isDay(edition.get("issued")) && isObject(names) && [...names].every(([key, one]) => /^[0-9A-Za-z_-]{1,50}$/.test(key) && isHash(one));
  need(good, "refused", "form of an edition");
  const content = new Map([...edition].filter(([key]) => ["number", "issued", "documents"].includes(key)));
  need(sha256(Buffer.from(sorted(content))) === edition.get("hash"), "refused", "hash of an edition");
  const byName = new Map(documents.map((one) => [sha256(Buffer.from(one)), one]));
  const found = { number: edition.get("number"), items: new Map(), deeds: [] };
  for (const [key, name] of names) {
    need(byName.has(name), "refused", `${key} is missing`);
    const fields = compact(byName.get(name));
    if (key === "calendar") need(isCalendar(fields), "refused", key);
    const kind = /^(item|deed|bundle)-/.exec(key)?.[1];
    if (!kind) continue;
    const document = readDocument(kind, fields);
    need(key === `${kind}-${document.id}`, "refused", "another's key");
    if (kind === "deed") found.deeds.push(checkedDeed(document));
    if (kind === "item") found.items.set(document.id, plain(document));
  }
  need(found.deeds.every((one) => found.items.has(one.item)), "refused", "deeds");
  const later = (a, b) => (a.effective === b.effective ? (a.id < b.id ? 1 : -1) : a.effective < b.effective ? 1 : -1);
  found.deeds.sort(later);
  return found;
}

const plain = (one) => {
  if (Array.isArray(one)) return one.map(plain);
  if (one instanceof Map) return plain(Object.fromEntries(one));
  return one === null || typeof one !== "object" ? one : Object.fromEntries(Object.entries(one).map(([key, each]) => [key, plain(each)]));
};

const isLeapYearsDay = (one) => isText(one) && isDay(`2024-${one}`);
const isWeekend = (day) => [0, 6].includes(new Date(`${day}T00:00:00Z`).getUTCDay());
const isRegional = (one) =>
  isObject(one) && isDay(one.get("day")) && isText(one.get("name")) && one.get("name") !== "" &&
  (!one.has("works") || typeof one.get("works") === "boolean");

function isCalendar(fields) {
  const [from, through, regional, known] = ["from", "through", "regional", "regional_through"].map((one) => fields.get(one));
  const listed = ["off", "work", "fixed", "regional"].every((one) => Array.isArray(fields.get(one)));
  const formed =
    fields.get("v") === 1 && isText(fields.get("version")) && fields.get("version") !== "" && isText(fields.get("region")) && /^[0-9]{12}$/.test(fields.get("region")) &&
    isDay(from) && isDay(through) && (known === undefined || known === null || isDay(known)) && listed &&
    fields.get("fixed").every(isLeapYearsDay) && regional.every(isRegional);
  if (!formed || through < from || through.slice(0, 4) - from.slice(0, 4) > 150) return false;
  const fits = (name, weekend) => fields.get(name).every((day) => isDay(day) && from <= day && day <= through && isWeekend(day) === weekend);
  return fits("off", false) && fits("work", true) && new Set(regional.map((one) => one.get("day"))).size === regional.length;
}

function checkedDeed(deed) {
  const whom = deed.to.length > 0 !== (deed.to_every !== null);
  const days = deed.until === null || deed.until >= deed.effective;
  need(whom && days && deed.approvers[0] !== deed.approvers[1] && !deed.to.includes(deed.giver), "refused", "deed");
  return deed;
}

function lineOf(places, code) {
  const found = [];
  for (let at = places.get(code); at; at = places.get(at.parent)) found.push(at);
  return found;
}

function ruleOf(edition, item) {
  const decision = item.decision_level.code;
  const levels = item.exercise_levels.map((one) => one.code);
  const home = decision > 4 && levels.includes(4) ? 4 : decision === 6 && levels.includes(5) ? 5 : decision;
  const deeds = edition.deeds.filter((one) => one.item === item.id && (one.power ?? "decide") === "decide");
  return { decision, levels, home, deeds, licence: item.item_type.code === "01" };
}

const mayDecide = (rule, place) => !(rule.licence && place.tier === 6);
const isAbout = (deed, place) => (deed.to_every ? deed.to_every === place.tier : deed.to.includes(place.code));

function inForce(deed, on, accepted) {
  const day = (deed.in_flight ?? "stay") === "stay" && accepted ? accepted : on;
  return deed.effective <= day && (!deed.until || day <= deed.until);
}

// The first deed in force about a place by one of these givers.
const firstDeed = (rule, place, givers, on, accepted) =>
  rule.deeds.find((one) => isAbout(one, place) && givers.some((each) => each.code === one.giver) && inForce(one, on, accepted));

function holderWithoutDeeds(rule, line, on, accepted) {
  const own = line.findIndex((one) => one.tier === rule.home);
  if (own >= 0) return own;
  const higher = line.findIndex((one) => one.tier < rule.home);
  const above = higher < 0 ? line.length - 1 : higher;
  const up = line.findIndex((one, at) => at >= above && rule.levels.includes(one.tier));
  if (up >= 0) return up;
  for (let at = above - 1; at >= 0; at -= 1) {
    const place = line[at];
    const fits = place.tier <= rule.decision && rule.levels.includes(place.tier) && mayDecide(rule, place);
    if (fits && firstDeed(rule, place, line.slice(at + 1), on, accepted)?.form !== "收回") return at;
  }
  return above;
}

function route(edition, places, question) {
  const item = edition.items.get(question.item);
  const line = lineOf(places, question.place);
  if (!item || !line.length) return null;
  const rule = ruleOf(edition, item);
  let at = holderWithoutDeeds(rule, line, question.on, question.accepted);
  for (let lower = at - 1; lower >= 0; lower -= 1) {
    const deed = firstDeed(rule, line[lower], line.slice(at), question.on, question.accepted);
    if (mayDecide(rule, line[lower]) && deed && deed.form !== "收回") at = lower;
  }
  const decides = line[at];
  const township = item.devolution.form === "法定下级受理" && decides.tier < 5 ? line.find((one) => one.tier === 5) : undefined;
  return { receives: township ?? decides, decides };
}

export function answer(edition, places, question) {
  if (question.file) {
    const item = edition.items.get(question.item);
    const proxy = question.file !== "agent" || item.proxy_allowed;
    const village = places.get(question.place).tier !== 6 || ["直办", "代办", "协办"].includes(item.village_mode);
    return item && item.status === "在用" && proxy && village ? "ok" : "refused";
  }
  const way = route(edition, places, question);
  if (!way) return "refused";
  const { receives, decides } = way;
  if (!question.to) return `${receives.code} ${decides.code}`;
  if (question.holder === decides.code) return "refused";
  const next = question.holder === receives.code ? decides : receives;
  return next.code === question.to ? "ok" : "refused";
}
