// What a reader tells its senders after some deliveries: docs/protocol.md, section 7. Written from the document alone.
import { isStep, openParcel, Refused, sha256 } from "./lines.mjs";
import { advance, begin, readBody } from "./steps.mjs";

const TAKES_ITS_NUMBER = ["P-10", "P-11", "P-12"];

export class Reader {
  constructor(me, now, ring) {
    Object.assign(this, { me, now, ring, channels: new Map(), refused: new Map(), lanes: new Map() });
  }
  deliver(source, raw) {
    let opened;
    try {
      opened = openParcel(raw, this.ring, this.me, this.now, source);
    } catch (refused) {
      if (!(refused instanceof Refused)) throw refused;
      this.refuse(source, sha256(raw), refused.code);
      return;
    }
    const sender = opened.statement.certificate.place;
    for (const event of opened.verified) this.take(event, null);
    for (const { event, line, code } of opened.refused) {
      const numbered = TAKES_ITS_NUMBER.includes(code) && event.frm === sender && event.to.has(this.me);
      if (numbered) this.take(event, code);
      else this.refuse(sender, sha256(line), code);
    }
  }
  refuse(sender, name, code) {
    const found = this.refused.get(sender) ?? [];
    this.refused.set(sender, [...found.filter(([each]) => each !== name), [name, code]]);
  }
  take(event, code) {
    const channel = this.channel(event.frm, event.ep);
    const seq = event.to.get(this.me);
    const known = channel.get(seq);
    if (known && known.name !== event.name) {
      this.refuse(event.frm, event.name, "P-15");
      return;
    }
    if (known && !(TAKES_ITS_NUMBER.includes(known.code) && code === null)) return;
    const entry = { name: event.name, code, waits: false };
    channel.set(seq, entry);
    if (code === null) this.apply(event, entry);
  }
  channel(frm, ep) {
    const own = this.channels.get(frm) ?? new Map();
    this.channels.set(frm, own);
    if (!own.has(ep)) own.set(ep, new Map());
    return own.get(ep);
  }
  apply(event, entry) {
    if (!isStep(event.kind)) {
      entry.code = refusalOf(() => readBody(event.kind, event.body));
      return;
    }
    const lane = this.lanes.get(event.case.no) ?? { kept: null, waiting: [] };
    this.lanes.set(event.case.no, lane);
    const here = [...lane.waiting, { event, entry }].sort((a, b) => a.event.case.n - b.event.case.n);
    lane.waiting = here.filter((one) => this.step(lane, one));
  }
  // Whether the step must wait.
  step(lane, { event, entry }) {
    const next = (lane.kept?.n ?? 0) + 1;
    entry.waits = event.case.n > next;
    if (entry.waits) return true;
    entry.code = event.case.n < next ? "P-16" : refusalOf(() => (lane.kept = this.fold(lane.kept, event)));
    return false;
  }
  fold(kept, event) {
    const step = { ...event, ...event.case };
    const body = readBody(event.kind, event.body);
    return kept === null ? begin(step, body) : advance(kept, step, body);
  }
  told() {
    const senders = new Set([...this.channels.keys(), ...this.refused.keys()]);
    return Object.fromEntries([...senders].map((sender) => [sender, this.receiptFor(sender)]));
  }
  receiptFor(sender) {
    const own = [...(this.channels.get(sender) ?? [])].map(([ep, channel]) => [ep, toldOf(channel)]);
    const refused = [...(this.refused.get(sender) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
    return { channels: Object.fromEntries(own), refused };
  }
}

function refusalOf(action) {
  try {
    action();
    return null;
  } catch (refused) {
    if (!(refused instanceof Refused)) throw refused;
    return refused.code === "refused" ? "L-1" : refused.code;
  }
}

function toldOf(channel) {
  const upto = Math.max(...channel.keys());
  const numbers = Array.from({ length: upto }, (_, at) => at + 1);
  const aside = numbers.filter((one) => channel.get(one)?.code);
  return {
    upto,
    missing: ranges(numbers.filter((one) => !channel.has(one))),
    waiting: ranges(numbers.filter((one) => channel.get(one)?.waits)),
    quarantined: aside.map((one) => [one, channel.get(one).code]),
  };
}

function ranges(numbers) {
  const found = [];
  for (const one of numbers) {
    if (found.length && found.at(-1)[1] === one - 1) found.at(-1)[1] = one;
    else found.push([one, one]);
  }
  return found;
}
